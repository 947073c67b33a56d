-- Personalisation: a type keeps its package once, as templates; a profile of it is its personal data.
-- Profiles come by the hundred thousand, so what is checked for every row is cheap here.

-- What a type needs beside its templates. Types are never deleted.
alter table profile_type
    add column template_version integer,             -- the newest; null: its profiles are imported
    add column class            text                 -- of all profiles made of templates
        check (class in ('test', 'provisioning', 'operational')),
    add column imsi_low         text,                -- profiles with other IMSIs are refused
    add column imsi_high        text,
    add column low_water        integer check (low_water > 0),   -- fewer in stock: alert.stock-low
    add column stock_low        boolean not null default false,  -- that has been said
    add column stock_probe      bigint  not null default 0,      -- no order before this number can be
                                                                 -- the one to say it
    add column alert_seq        bigint  not null default 0,
    add constraint profile_type_imsis check ((imsi_low is null) = (imsi_high is null));

create function profile_type_stays() returns trigger
    language plpgsql as $$
begin
    raise exception 'profile types are never deleted' using errcode = 'foreign_key_violation';
end $$;
create trigger profile_type_stays before delete on profile_type
    for each row execute function profile_type_stays();

-- Packages that profiles are made of. A new version is for the orders to come; of the variants of a
-- version the first that an eUICC can take is bound. Rows never change, but for the seal.
create table template (
    id           bigint      primary key generated always as identity,
    type_id      bigint      not null references profile_type,
    version      integer     not null check (version > 0),
    rank         integer     not null check (rank > 0),   -- 1 is tried first
    saip_version integer     not null,
    services     bigint      not null,
    upp_octets   integer     not null check (upp_octets > 0),   -- of a package made of it, at most
    metadata     bytea       not null,               -- StoreMetadataRequest, but for the ICCID
    upp          bytea       not null,               -- sealed: it may hold keys
    created_at   timestamptz not null default now(),
    unique (type_id, version, rank)
);
alter table template alter column upp set storage external;

-- One bulk load, done.
create sequence profile_load_id;
create table profile_load (
    id               bigint      primary key,
    type_id          bigint      not null references profile_type,
    template_version integer     not null,
    profiles         bigint      not null,
    fields_all       bigint      not null,           -- given in every row, by number of the field
    fields_any       bigint      not null,           -- given in one row at least
    source           text        not null,
    loaded_at        timestamptz not null default now()
);
create index profile_load_type on profile_load (type_id, id);

-- A profile is a package of its own (profile_package, and what it says of itself), or personal data
-- for its type's template. Statements that write profiles look the type and the order up themselves:
-- foreign keys would do it for every row of a load, and a regular expression costs more than a row.
alter table profile
    add column load_id  bigint,
    add column personal bytea,                       -- sealed
    alter column saip_version drop not null,
    alter column services     drop not null,
    alter column upp_octets   drop not null,
    alter column metadata     drop not null,
    drop constraint profile_type_id_fkey,
    drop constraint profile_order_id_fkey,
    drop constraint profile_iccid_check,
    add constraint profile_iccid_check
        check (octet_length(iccid) between 18 and 20),
    add constraint profile_origin
        check (case when personal is null then metadata is not null and upp_octets is not null
               else load_id is not null end);
alter table profile alter column personal set storage main;
-- One entry a profile: in stock or not.
drop index profile_type_list;
create index profile_sold on profile (type_id, iccid) where state <> 'available';

alter table download_order add column template_version integer;   -- null: an imported profile
alter table rsp_session
    add column template_id bigint,                   -- the variant chosen for this eUICC
    add column refusal_why text;                     -- what was missing, for the operator
alter table binding add column template_id bigint;

-- Bulk loads. The rows of a load wait in an unlogged table of its own, profile_staging_N, that lives
-- no longer than the load: its session holds an advisory lock, and a table whose lock nobody holds is a
-- rest.
create function profile_load_sweep() returns integer
    language plpgsql as $$
declare
    part  name;
    swept integer := 0;
begin
    for part in select c.relname
                  from pg_class c
                 where pg_table_is_visible(c.oid)
                   and c.relname ~ '^profile_staging_[0-9]+$' and c.relpersistence = 'u' loop
        if pg_try_advisory_xact_lock(1349674100, (substring(part from 17)::bigint % 2147483647)::integer) then
            execute format('drop table if exists %I', part);
            swept := swept + 1;
        end if;
    end loop;
    return swept;
end $$;

-- Begins a load in this session; its number.
create function profile_load_begin() returns bigint
    language plpgsql as $$
declare
    load bigint := nextval('profile_load_id');
begin
    perform set_config('statement_timeout', '3600000', false);
    perform pg_advisory_lock(1349674100, (load % 2147483647)::integer);
    execute format('create unlogged table profile_staging_%s (line bigint not null, iccid text not null, '
                   'imsi text, personal bytea not null) with (autovacuum_enabled = false)', load);
    return load;
end $$;

-- A load ends without profiles.
create function profile_load_drop(load bigint) returns boolean
    language plpgsql as $$
begin
    execute format('drop table if exists profile_staging_%s', load);
    return true;
end $$;

-- Templates change while no load ends, and the other way round. Not by a lock on the row, for which
-- orders would wait.
create function profile_type_hold(type bigint, shared boolean) returns void
    language sql as $$
    select case when shared then pg_advisory_xact_lock_shared(1349674101, (type % 2147483647)::integer)
                else pg_advisory_xact_lock(1349674101, (type % 2147483647)::integer) end
$$;

-- Holds a type for a change of its templates; true when all profiles loaded so far have these fields.
create function profile_type_has(type bigint, fields bigint) returns boolean
    language plpgsql as $$
begin
    perform profile_type_hold(type, false);
    return not exists (select from profile_load l where l.type_id = type and fields & ~l.fields_all <> 0);
end $$;

-- Takes all rows of a load into stock, or none: 'done', 'duplicate' (an ICCID is twice in the file or
-- known), 'changed' (the type has another template now), 'lost' (not all rows are here).
create function profile_load_take(load bigint, type bigint, version integer, class text, profiles bigint,
                                  fields_all bigint, fields_any bigint, source text, actor text,
                                  why text) returns text
    language plpgsql as $$
declare
    taken bigint;
begin
    perform profile_type_hold(type, true);
    perform from profile_type t where t.id = type and t.template_version = version;
    if not found then
        return 'changed';
    end if;
    begin
        execute format('insert into profile (iccid, type_id, class, imsi, load_id, personal) '
                       'select iccid, $1, $2, imsi, $3, personal from profile_staging_%s', load)
          using type, class, load;
        get diagnostics taken = row_count;
        if taken <> profiles then
            raise exception 'staged % rows of %', taken, profiles using errcode = 'data_exception';
        end if;
    exception
        when unique_violation then
            return 'duplicate';
        when data_exception then
            return 'lost';
    end;
    insert into profile_load (id, type_id, template_version, profiles, fields_all, fields_any, source)
    values (load, type, version, profiles, fields_all, fields_any, source);
    insert into audit (actor, act, to_state, why)
    select actor, 'profile.load', 'available',
           concat_ws(' ', 'type=' || t.name, 'load=' || load, 'profiles=' || profiles,
                     'source=' || source, nullif(why, ''))
      from profile_type t where t.id = type;
    perform profile_stock_rearm(type);
    execute format('drop table profile_staging_%s', load);
    return 'done';
end $$;

-- Lines of a load whose ICCID is in an earlier line (first) or known already (first is null), and how
-- many there are in all.
create function profile_load_duplicates(load bigint, most integer)
    returns table (line bigint, first bigint, total bigint)
    language plpgsql as $$
begin
    return query execute format(
        'with numbered as ('
        '    select s.line, s.iccid, min(s.line) over (partition by s.iccid) as first'
        '      from profile_staging_%s s'
        '), found as ('
        '    select n.line, case when p.iccid is null then n.first end as first'
        '      from numbered n left join profile p on p.iccid = n.iccid'
        '     where p.iccid is not null or n.line <> n.first'
        ') '
        'select f.line, f.first, count(*) over () from found f order by f.line limit $1', load)
     using most;
end $$;

-- How many profiles of a type are in stock; counting ends at `most`.
create function profile_stock(type bigint, most bigint) returns bigint
    language sql stable as $$
    select count(*)
      from (select from profile p where p.type_id = type and p.state = 'available' limit most) counted
$$;

-- After profiles came into stock: the next low water is to be said again once there is enough.
create function profile_stock_rearm(type bigint) returns void
    language sql as $$
    update profile_type t
       set stock_low = false, stock_probe = 0
     where t.id = type and t.stock_low and profile_stock(t.id, t.low_water) >= t.low_water
$$;

-- Loads: a subscription is in one profile; a new template is held against all that loaded profiles have.

-- An IMSI is in one profile of an operator, but for types that share theirs: profiles of these are neither
-- compared nor counted.
alter table profile_type add column shared_imsi boolean not null default false;
create index profile_imsi on profile (imsi) where imsi is not null;

-- Which keys rows of the load have, what is how long, of which networks IMSIs are: numbers as src/profile/given.h
-- has them. Null: that was not kept yet.
alter table profile_load add column details bigint[];

-- IMSIs that no other profile of their operator may have: of all its profiles, but what an eUICC deleted
-- for good, and what was given up before a package of it went out.
create view imsi_held as
    select p.imsi, t.operator_id
      from profile p
      join profile_type t on t.id = p.type_id
     where not t.shared_imsi
       and (p.state <> 'installed' or p.card_state is distinct from 'deleted')
       and (p.state <> 'unavailable'
            or exists (select from download_order o where o.iccid = p.iccid and o.package_out));

-- Whose IMSIs the profiles of a type must not have; null: they may have any.
create function profile_type_imsi_owner(type bigint) returns bigint
    language sql stable as $$
    select operator_id from profile_type where id = type and not shared_imsi
$$;

-- Is each IMSI of a load there once, and held by no profile of this operator? `lowest` and `highest` are those
-- of rows that came in the order of their IMSIs, null of others. Files come in batches of neighbours: when no
-- profile's lies between, none is looked up.
create function profile_load_imsis_free(load bigint, owner bigint, lowest text, highest text) returns boolean
    language plpgsql as $$
declare
    given    bigint;
    distinct_given bigint;
    taken    boolean;
begin
    if lowest is null then
        execute format('select count(imsi), count(distinct imsi collate "C"), min(imsi), max(imsi)'
                       '  from profile_staging_%s', load)
           into given, distinct_given, lowest, highest;
        if given <> distinct_given then
            return false;
        end if;
    end if;
    -- In the order of the index, so that nobody reads the table for it.
    if coalesce((select p.imsi from profile p where p.imsi >= lowest order by p.imsi limit 1) > highest,
                true) then
        return true;
    end if;
    execute format('select exists (select from profile_staging_%s s'
                   '                where (select true from imsi_held h'
                   '                        where h.imsi = s.imsi and h.operator_id = $1 limit 1))', load)
       into taken using owner;
    return not taken;
end $$;

-- Of the loads of an operator one looks for its IMSIs and takes them at a time.
create function operator_imsis_hold(owner bigint) returns void
    language sql as $$
    select pg_advisory_xact_lock(1349674102, (owner % 2147483647)::integer)
$$;

-- Takes all rows of a load into stock, or none: 'done', 'duplicate' (an ICCID or IMSI is twice in the file
-- or known), 'changed' (the type has another template now), 'lost' (not all rows are here).
drop function profile_load_take(bigint, bigint, integer, text, bigint, bigint, bigint, text, text, text);
create function profile_load_take(load bigint, type bigint, version integer, class text, profiles bigint,
                                  fields_all bigint, fields_any bigint, details bigint[], imsi_low text,
                                  imsi_high text, source text, actor text, why text) returns text
    language plpgsql as $$
declare
    owner bigint := profile_type_imsi_owner(type);
    taken bigint;
begin
    if owner is not null then
        perform operator_imsis_hold(owner);
    end if;
    perform profile_type_hold(type, true);
    perform from profile_type t where t.id = type and t.template_version = version;
    if not found then
        return 'changed';
    end if;
    if owner is not null and not profile_load_imsis_free(load, owner, imsi_low, imsi_high) then
        return 'duplicate';
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
    insert into profile_load (id, type_id, template_version, profiles, fields_all, fields_any, details,
                              source)
    values (load, type, version, profiles, fields_all, fields_any, details, source);
    insert into audit (actor, act, to_state, why)
    select actor, 'profile.load', 'available',
           concat_ws(' ', 'type=' || t.name, 'load=' || load, 'profiles=' || profiles,
                     'source=' || source, nullif(why, ''))
      from profile_type t where t.id = type;
    perform profile_stock_rearm(type);
    execute format('drop table profile_staging_%s', load);
    return 'done';
end $$;

-- Lines of a load whose ICCID, or else whose IMSI, is in an earlier line (first) or a profile's already
-- (first is null), which of the two, and how many such lines there are in all.
drop function profile_load_duplicates(bigint, integer);
create function profile_load_duplicates(load bigint, type bigint, most integer)
    returns table (line bigint, datum text, first bigint, total bigint)
    language plpgsql as $$
begin
    return query execute format(
        'with numbered as ('
        '    select s.line, s.iccid, s.imsi, min(s.line) over (partition by s.iccid) as first,'
        '           min(s.line) over (partition by s.imsi) as imsi_first'
        '      from profile_staging_%1$s s'
        '), judged as ('
        '    select n.*, p.iccid is not null as known, p.iccid is not null or n.line <> n.first as found'
        '      from numbered n left join profile p on p.iccid = n.iccid'
        '), shared as ('
        '    select j.line, j.imsi_first as first,'
        '           (select true from imsi_held h'
        '             where h.imsi = j.imsi and h.operator_id = $2 limit 1) is true as known'
        '      from judged j where not j.found and j.imsi is not null and $2 is not null'
        '), found as ('
        '    select j.line, ''iccid'' as datum, case when not j.known then j.first end as first'
        '      from judged j where j.found'
        '     union all'
        '    select s.line, ''imsi'', case when not s.known then s.first end'
        '      from shared s where s.known or s.line <> s.first'
        ') '
        'select f.line, f.datum, f.first, count(*) over () from found f order by f.line limit $1', load)
     using most, profile_type_imsi_owner(type);
end $$;

-- Holds a type for a change of its templates; how many loads it has had, none of which ends meanwhile.
drop function profile_type_has(bigint, bigint);
create function profile_type_loads(type bigint) returns bigint
    language plpgsql as $$
begin
    perform profile_type_hold(type, false);
    return (select count(*) from profile_load l where l.type_id = type);
end $$;

-- The SM-DP+ as far as a complete download needs it: profiles and their life, orders, sessions,
-- bindings, notifications, the events told to others, and the audit trail.

-- Which event leads a profile from which state to which. `rspd --migrate` fills it from
-- src/profile/moves.def; nothing else writes it.
create table profile_move (
    event      text not null,
    from_state text not null,
    to_state   text not null,
    primary key (event, from_state)
);

-- A credential set: the CI that eUICCs are to use, CERT.DPauth and CERT.DPpb. Its number stands in
-- transaction ids, so it is given once and never again to another set.
create table credential_set (
    id          smallint    primary key check (id between 1 and 255),
    ci_pkid     bytea       not null check (length(ci_pkid) = 20),
    auth_sha256 bytea       not null check (length(auth_sha256) = 32),
    pb_sha256   bytea       not null check (length(pb_sha256) = 32),
    since       timestamptz not null default now(),
    unique (ci_pkid, auth_sha256, pb_sha256)
);

-- What profiles of one kind have in common.
create table profile_type (
    id         bigint      primary key generated always as identity,
    name       text        not null unique check (length(name) between 1 and 100),
    -- how packages are protected: under the session keys, or under profile protection keys (PPK)
    keys       text        not null default 'session' check (keys in ('session', 'ppk')),
    -- what a delete on the card means: nothing, the same eUICC may load it again, or back to stock
    on_delete  text        not null default 'keep' check (on_delete in ('keep', 'reissue', 'available')),
    created_at timestamptz not null default now()
);

create table profile (
    iccid        text        primary key check (iccid ~ '^[0-9]{18,20}$'),
    type_id      bigint      not null references profile_type,
    class        text        not null check (class in ('test', 'provisioning', 'operational')),
    state        text        not null default 'available',
    state_since  timestamptz not null default now(),
    order_id     bigint,                  -- the order that holds it now, or held it last
    imsi         text,
    -- what the package says of itself, for the eligibility check (SGP.22 Annex F)
    saip_version integer     not null,    -- major * 256 + minor
    services     bigint      not null,    -- bit n: service n of the header's ServicesList
    upp_octets   integer     not null check (upp_octets > 0),
    metadata     bytea       not null,    -- StoreMetadataRequest as it will be announced and bound
    -- what the card said of it last, with its sequence number
    card_state   text        check (card_state in ('disabled', 'enabled', 'deleted')),
    card_eid     text,
    card_seq     bigint,
    card_since   timestamptz,
    event_seq    bigint      not null default 0,
    imported_at  timestamptz not null default now()
);
create index profile_stock on profile (type_id, iccid) where state = 'available';
create index profile_card on profile (card_eid) where card_eid is not null;
create index profile_type_list on profile (type_id, iccid);

-- A change of state that profile_move does not know is a bug of the daemon: refuse it.
create function profile_guard() returns trigger
    language plpgsql as $$
begin
    if not exists (select from profile_move m
                    where m.from_state = old.state and m.to_state = new.state) then
        raise exception 'profile % cannot go from % to %', old.iccid, old.state, new.state
              using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger profile_guard before update of state on profile
    for each row when (old.state is distinct from new.state) execute function profile_guard();

-- The unprotected profile package, sealed. Apart from profile, whose rows change often.
create table profile_package (
    iccid text  primary key references profile on delete cascade,
    upp   bytea not null
);
alter table profile_package alter column upp set storage external;   -- sealed octets do not compress

create table download_order (
    id                bigint      primary key generated always as identity,
    iccid             text        not null references profile,
    eid               text        check (eid ~ '^[0-9]{32}$'),
    linked_at         timestamptz,                   -- when it was tied to the EID …
    linked_by         text,                          -- … and by which call
    matching_id       text,                          -- null: not confirmed; empty: default SM-DP+
    cc_sha256         bytea       check (length(cc_sha256) = 32),
    cc_attempts       integer     not null default 0,
    download_attempts integer     not null default 0,
    expires_at        timestamptz,
    package_out       boolean     not null default false,  -- a package left, no signed failure came back
    frozen            boolean     not null default false,  -- its profile turned out to be installed
    error             text,                          -- the refusal that ended it, by name
    last_transaction  bytea,                         -- of its newest session
    bound_transaction bytea,                         -- of the session whose package went out last
    pending           boolean     not null default true,   -- false: installed or cancelled
    created_at        timestamptz not null default now(),
    cancelled_at      timestamptz
);
alter table profile add foreign key (order_id) references download_order;
create unique index download_order_matching on download_order (matching_id)
    where pending and not frozen and matching_id <> '';
create index download_order_matching_all on download_order (matching_id, id)
    where cancelled_at is null and matching_id <> '';
create index download_order_eid on download_order (eid, id) where pending and eid is not null;
create index download_order_iccid on download_order (iccid, id);
create index download_order_expiry on download_order (expires_at) where pending and expires_at is not null;

-- One RSP session, from AuthenticateClient on. A row outlives the time window of its transaction id,
-- so that a replay can never make the session anew.
create table rsp_session (
    transaction_id    bytea       primary key check (length(transaction_id) = 16),
    credential_set    smallint    not null references credential_set,
    eid               text        not null,
    euicc_curve       smallint    not null,
    euicc_point       bytea       not null,          -- PK.EUICC.SIG, uncompressed
    smdp_oid          text        not null,
    request_sha256    bytea       not null,          -- of the AuthenticateClient that made it
    order_id          bigint      references download_order,
    iccid             text,
    state             text        not null check (state in ('authenticated', 'bound', 'cancelled', 'ended')),
    refusal           text,                          -- what ended it, by name
    -- the answer of AuthenticateClient
    metadata          bytea,
    cc_required       boolean     not null default false,
    bpp_otpk          bytea,
    smdp_signature2   bytea,
    -- the answer of GetBoundProfilePackage
    bpp_sha256        bytea,                         -- of its request
    bpp_sign          bytea,
    result            text        check (result in ('installed', 'failed')),
    tac               text,
    imei              text,
    peer              text,
    created_at        timestamptz not null default now()
);
create index rsp_session_eid on rsp_session (eid, created_at);
create index rsp_session_order on rsp_session (order_id) where order_id is not null;
create index rsp_session_created on rsp_session (created_at);

-- What is needed to make the very same package again for the same one-time key of the eUICC.
create table binding (
    order_id        bigint      primary key references download_order,
    iccid           text        not null,
    eid             text        not null,
    transaction_id  bytea       not null,            -- of the session that made it last
    credential_set  smallint    not null references credential_set,
    euicc_otpk      bytea       not null,
    seed            bytea       not null,            -- sealed
    metadata        bytea       not null,
    segments_sha256 bytea       not null,
    made_at         timestamptz not null default now()
);

-- Signed notifications as they came; a row comes once however often it is sent.
create table notification (
    eid         text        not null,
    seq_number  bigint      not null,
    operation   text        not null check (operation in ('install', 'enable', 'disable', 'delete')),
    iccid       text        not null,                -- empty: the notification named none
    address     text        not null,
    evidence    bytea       not null,                -- the signed octets
    applied     boolean     not null default false,
    received_at timestamptz not null default now(),
    primary key (eid, seq_number, operation, iccid)
);
create index notification_waiting on notification (eid, iccid) where not applied;
create index notification_iccid on notification (iccid, received_at);

-- Events in the order of their key, written by the statement that makes them true.
create table outbox (
    id        bigint      primary key generated always as identity,
    event_id  uuid        not null default gen_random_uuid(),
    order_key text        not null,                  -- ICCID or EID
    seq       bigint      not null,                  -- gapless per key
    type      text        not null,
    data      jsonb       not null,
    at        timestamptz not null default now()
);
create index outbox_key on outbox (order_key, seq);

-- Who did what, when and why: administrative acts and every move of a profile. Written unchained by
-- the statement itself; audit_seal chains the rows afterwards.
create table audit (
    id         bigint      not null generated always as identity,
    at         timestamptz not null default clock_timestamp(),
    xid        xid8        not null default pg_current_xact_id(),
    actor      text        not null,
    act        text        not null,
    iccid      text,
    eid        text,
    order_id   bigint,
    from_state text,
    to_state   text,
    why        text        not null default '',
    seal_id    bigint,
    primary key (id, at)
) partition by range (at);
create index audit_iccid on audit (iccid, id) where iccid is not null;
create index audit_eid on audit (eid, id) where eid is not null;
create index audit_unsealed on audit (id) where seal_id is null;
create index audit_sealed on audit (seal_id, id) where seal_id is not null;
create table audit_rest partition of audit default;

create table audit_seal (
    id        bigint      primary key,
    entries   integer     not null,
    prev_hash bytea       not null,
    hash      bytea       not null,
    sealed_at timestamptz not null default now()
);

-- Makes the audit partitions of this month and the next; called by the daemon every minute. A month of
-- which the default partition holds entries already (the daemon was away when it began) stays there.
create function audit_partitions() returns void
    language plpgsql as $$
declare
    first date;
    part  text;
begin
    for i in 0 .. 1 loop
        first := date_trunc('month', now() at time zone 'UTC')::date + make_interval(months => i);
        part := 'audit_' || to_char(first, 'YYYY_MM');
        if to_regclass(part) is null
           and not exists (select from audit_rest r
                            where r.at >= first::timestamp at time zone 'UTC'
                              and r.at < (first + interval '1 month') at time zone 'UTC') then
            execute format('create table %I partition of audit for values from (%L) to (%L)', part,
                           first::timestamp at time zone 'UTC',
                           (first + interval '1 month') at time zone 'UTC');
        end if;
    end loop;
end $$;

-- What a row says, as octets under the hash of its seal.
create function audit_octets(a audit) returns bytea
    language sql immutable as $$
    select convert_to(jsonb_build_array(a.id, (extract(epoch from a.at) * 1000000)::bigint, a.actor,
                                        a.act, a.iccid, a.eid, a.order_id, a.from_state, a.to_state,
                                        a.why)::text, 'UTF8')
$$;

-- A time as it is shown: ISO 8601, UTC, to the microsecond.
create function utc(t timestamptz) returns text
    language sql stable strict as $$
    select to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

select audit_partitions();

-- What is not served, and what an operator is told of once.

-- Certificates, eUICCs and firmware that are not served. An entry that was taken away stays for the record.
create table deny (
    id            bigint      primary key generated always as identity,
    kind          text        not null check (kind in ('eum', 'euicc', 'eid', 'firmware')),
    -- eum, euicc: the identifier of the certificate's key, or its issuer's with its serial number; never a
    -- fingerprint, for who holds a certificate can write its ECDSA signature in another way
    key_id        bytea       check (length(key_id) = 20),
    issuer_id     bytea       check (length(issuer_id) = 20),
    serial        bytea,
    -- eid; firmware too, when it is one maker's
    eid_low       text        check (eid_low ~ '^[0-9]{32}$'),
    eid_high      text        check (eid_high ~ '^[0-9]{32}$' and eid_high >= eid_low),
    -- firmware: major * 65536 + minor * 256 + revision of euiccFirmwareVer
    firmware_low  integer,
    firmware_high integer     check (firmware_high >= firmware_low),
    why           text        not null,
    added_by      text        not null,
    added_at      timestamptz not null default now(),
    removed_by    text,
    removed_at    timestamptz,
    check (case when kind in ('eum', 'euicc')
                then num_nonnulls(key_id, issuer_id) = 1
                     and (issuer_id is null) = (serial is null)
                     and num_nonnulls(eid_low, firmware_low) = 0
                when kind = 'eid'
                then eid_low is not null and num_nonnulls(key_id, issuer_id, serial, firmware_low) = 0
                else firmware_low is not null and num_nonnulls(key_id, issuer_id, serial) = 0
           end),
    check ((eid_low is null) = (eid_high is null) and (firmware_low is null) = (firmware_high is null))
);
create unique index deny_active on deny (kind, key_id, issuer_id, serial, eid_low, eid_high, firmware_low,
                                         firmware_high)
    nulls not distinct where removed_at is null;
create index deny_loaded on deny (id) where removed_at is null;

-- Whose profiles may go to eUICCs of a test CI, whose private key the world knows.
alter table operator add column test_ci boolean not null default false;

-- Laboratory use: an order of a test profile that any number of eUICCs may download. Its profile stays
-- where it is while cards come and go.
alter table download_order add column reusable boolean not null default false;

-- How far ahead of its end a certificate or revocation list was told of: days, 0 at the end itself.
create table certificate_watch (
    sha256    bytea       primary key check (length(sha256) = 32),
    ahead     integer     not null,
    event_seq bigint      not null default 1,
    told_at   timestamptz not null default now()
);

-- eUICCs of which something was told: the numbers of their events, and when each alert was told last.
create table euicc_watch (
    eid       text        primary key check (eid ~ '^[0-9]{32}$'),
    event_seq bigint      not null default 1,
    cloned_at timestamptz not null default now()
);

-- Who called, as far as it tells callers apart: an IPv4 address, or the first 64 bits of an IPv6 one.
create function address_group(peer text) returns text
    language sql immutable as $$
    select case when peer like '[%'
                then host(network(set_masklen(split_part(substr(peer, 2), ']', 1)::inet, 64)))
                else split_part(peer, ':', 1) end
$$;

-- What events of reusable orders have besides.
create function reusable_mark(reusable boolean) returns jsonb
    language sql immutable as $$
    select case when reusable then '{"reusable": true}'::jsonb else '{}'::jsonb end
$$;

-- Which profile a session was about that was refused its order: for the profile's history.
alter table rsp_session add column about text;
create index rsp_session_about on rsp_session (about, created_at) where about is not null;

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

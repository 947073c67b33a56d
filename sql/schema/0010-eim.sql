-- The eIM (SGP.32): the eUICCs that we manage, what we believe of each and on what evidence, and what we want
-- of them. Whoever moves anything of an eUICC holds its row of `euicc` first.

create table euicc (
    eid            text        primary key check (eid ~ '^[0-9]{32}$'),
    operator_id    bigint      not null,              -- whose it is; no foreign key, see docs/store.md
    added_at       timestamptz not null default now(),
    added_by       text        not null,
    -- who it is: of a chain that verified, or given by an administrator
    euicc_certificate bytea,                          -- X.509 DER
    eum_certificate   bytea,
    curve          smallint,
    point          bytea       check (length(point) = 65),   -- PK.EUICC.SIG, uncompressed
    test_ci        boolean     not null default false,
    -- what it and its IPA say of themselves, unsigned; null: not known
    info1          bytea,
    info2          bytea,
    iot_version    integer,                           -- highest: major * 65536 + minor * 256 + patch
    features       integer,                           -- bits of IpaCapabilities.ipaFeatures
    protocols      integer,                           -- bits of ipaSupportedProtocols
    tac            text,
    imei           text,
    default_smdp   text,
    root_smds      text,
    learnt_at      timestamptz,                       -- when it answered, or gave up to answer
    -- what signatures between it and us rest upon (§2.11.1)
    counter        bigint      not null default 0 check (counter >= 0),   -- the last one used
    token          bigint,                            -- associationToken; null: none
    token_standing text        not null default 'unknown'
                   check (token_standing in ('unknown', 'given', 'kept')),
    candidate      bigint,                            -- a token of unsigned word …
    candidate_state text       check (candidate_state in ('fresh', 'tried')),   -- … tried once
    signature_form text        check (signature_form in ('token', 'signature')),
    -- the picture of its profiles
    enabled        text,                              -- ICCID; null: none, or not known
    listed_at      timestamptz,                       -- when it last listed them all
    -- the queue
    outstanding    bigint,                            -- what was handed out and is not answered
    barrier        bigint,                            -- nothing goes out behind it before its signed result
    closed_at      timestamptz,                       -- it does not know us any more
    -- what was seen
    last_seen      timestamptz,
    told_seen_at   timestamptz,
    last_cause     smallint,                          -- stateChangeCause, unsigned
    last_cause_at  timestamptz,
    -- how it is called instead of waiting for its polls: https:// or coaps://
    inject         text        check (length(inject) between 1 and 1000)
) with (fillfactor = 80);
create index euicc_operator on euicc (operator_id, eid);
create index euicc_silent on euicc (last_seen, eid);

-- What is believed of each profile on it, and on what evidence.
create table euicc_profile (
    eid        text        not null references euicc on delete cascade,
    iccid      text        not null check (iccid ~ '^[0-9]{18,20}$'),
    state      text        not null check (state in ('disabled', 'enabled', 'deleted')),
    fallback   boolean     not null default false,
    class      text        check (class in ('test', 'provisioning', 'operational')),
    name       text,
    provider   text,
    since      timestamptz not null default now(),    -- since when this state is believed
    evidence   text        not null check (evidence in ('list', 'result', 'rollback', 'installation')),
    evidence_at timestamptz not null default now(),
    package_id bigint,                                -- whose signed result says so
    primary key (eid, iccid)
);
create index euicc_profile_iccid on euicc_profile (iccid);

-- The eIMs associated with it, as its last signed listEim said.
create table euicc_eim (
    eid        text        not null references euicc on delete cascade,
    eim_id     text        not null check (length(eim_id) between 1 and 128),
    id_type    smallint,
    evidence_at timestamptz not null default now(),
    package_id bigint,
    primary key (eid, eim_id)
);

-- What is wanted of an eUICC or its IPA, in the order in which it goes out, and what became of it.
create table eim_package (
    id         bigint      primary key generated always as identity,
    eid        text        not null references euicc on delete cascade,
    kind       text        not null check (kind in ('package', 'data', 'trigger')),
    what       text        not null check (length(what) between 1 and 500),    -- for people
    body       bytea       not null,                  -- the commands, tags or trigger, encoded
    priority   smallint    not null default 0,        -- higher goes first
    not_before timestamptz,
    deadline   timestamptz,                           -- to be handed out at all
    barrier    boolean     not null default false,    -- changes how we sign, or who we are
    farewell   boolean     not null default false,    -- deletes us from the eUICC
    state      text        not null default 'waiting'
               check (state in ('waiting', 'out', 'done', 'failed', 'unknown', 'cancelled', 'expired')),
    state_since timestamptz not null default now(),
    asked_by   text        not null,
    asked_at   timestamptz not null default now(),
    why        text        not null default '',
    retry_of   bigint,                                -- the one that this one is made anew from
    nonce      bytea,                                 -- of the call that asked, by which its repetition is known
    -- when it went out; its octets never change afterwards
    counter    bigint,
    token      bigint,                                -- signed with; null: none
    eim_transaction_id bytea check (length(eim_transaction_id) between 1 and 16),
    octets     bytea,
    out_at     timestamptz,
    times_out  integer     not null default 0,
    intervals  integer     not null default 0,        -- of the budget, used up
    counted_at timestamptz,
    -- what came back
    result     bytea,                                 -- as received
    meaning    jsonb,
    sequence   bigint,                                -- the eUICC's own number of its result
    former     text,                                  -- the profile that was enabled before it, as believed
    rolled_back boolean    not null default false,
    check ((state in ('waiting', 'cancelled', 'expired')) = (out_at is null)),
    check (kind <> 'package' or out_at is null or counter is not null)
) with (fillfactor = 80);
create unique index eim_package_counter on eim_package (eid, counter) where counter is not null;
create unique index eim_package_transaction on eim_package (eim_transaction_id)
    where eim_transaction_id is not null;
create index eim_package_open on eim_package (eid, priority desc, id) where state in ('waiting', 'out');
create index eim_package_unknown on eim_package (eid, id) where state = 'unknown';
create index eim_package_eid on eim_package (eid, id);
create index eim_package_deadline on eim_package (deadline) where state = 'waiting' and deadline is not null;
-- What we want ourselves is wanted once at a time.
create unique index eim_package_own on eim_package (eid, what)
    where asked_by = 'rspd' and state in ('waiting', 'out');
create unique index eim_package_nonce on eim_package (nonce) where nonce is not null;
create unique index eim_package_retry on eim_package (retry_of) where retry_of is not null;
alter table euicc add foreign key (outstanding) references eim_package;
alter table euicc add foreign key (barrier) references eim_package;

-- Notifications that came by the eIM, signed by the eUICC, on their way to their SM-DP+.
create table eim_notification (
    id         bigint      primary key generated always as identity,
    eid        text        not null,
    sha256     bytea       not null check (length(sha256) = 32),   -- of what is signed in it
    address    text        not null,                  -- notificationAddress
    octets     bytea       not null,                  -- PendingNotification
    state      text        not null default 'waiting' check (state in ('waiting', 'forwarded', 'dead')),
    attempts   integer     not null default 0,
    next_at    timestamptz not null default now(),
    error      text,
    received_at timestamptz not null default now()
);
create unique index eim_notification_once on eim_notification (eid, sha256);
create index eim_notification_due on eim_notification (next_at, id) where state = 'waiting';
create index eim_notification_old on eim_notification (received_at) where state <> 'waiting';

-- Results that do not verify, for diagnosis: the last few of each eUICC.
create table eim_raw_result (
    id         bigint      primary key generated always as identity,
    eid        text        not null,                  -- as it was claimed; empty: nobody's
    why        text        not null,
    octets     bytea       not null,
    times      integer     not null default 1,
    first_at   timestamptz not null default now(),
    last_at    timestamptz not null default now(),
    sha256     bytea       not null check (length(sha256) = 32)
);
create unique index eim_raw_result_once on eim_raw_result (eid, sha256);
create index eim_raw_result_eid on eim_raw_result (eid, id);
create index eim_raw_result_old on eim_raw_result (last_at);

-- Takes `n` numbers of the events that are told in the order of an EID: the first of them.
create function eid_events(eid text, n bigint) returns bigint
    language sql volatile as $$
    insert into euicc_watch as w (eid, event_seq, cloned_at)
    values ($1, $2, '-infinity')
        on conflict (eid) do update set event_seq = w.event_seq + $2
 returning event_seq - $2 + 1
$$;

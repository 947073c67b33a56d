-- Operators as tenants: each has profile types, and by them profiles, orders and events of its own, and
-- comes over ES2+ with client certificates that are known to be its own.

create table operator (
    id                   bigint      primary key generated always as identity,
    name                 text        not null unique check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
    -- what functionRequesterIdentifier must say; null: its certificate alone says who it is
    requester_identifier text        unique check (length(requester_identifier) between 1 and 255),
    -- a pinned certificate counts past its expiry
    expired_certificates boolean     not null default false,
    -- a call with the same functionCallIdentifier and content gets the first answer
    remember_calls       boolean     not null default true,
    created_at           timestamptz not null default now()
);
insert into operator (name) values ('default');

-- Who may call for an operator: the owner of this very certificate ('pin'), or of any certificate with
-- this subject that leads to this CA ('ca').
create table operator_client (
    id          bigint      primary key generated always as identity,
    operator_id bigint      not null references operator on delete cascade,
    kind        text        not null check (kind in ('pin', 'ca')),
    certificate bytea       not null,                -- X.509 DER: the client's, or the CA's
    sha256      bytea       not null check (length(sha256) = 32),   -- of it
    subject     text        not null,                -- of the client's certificate, RFC 4514
    not_after   timestamptz not null,                -- of `certificate`
    added_at    timestamptz not null default now()
);
create unique index operator_client_pin on operator_client (sha256) where kind = 'pin';
create unique index operator_client_ca on operator_client (sha256, subject) where kind = 'ca';
create index operator_client_operator on operator_client (operator_id);

-- Calls of ES2+ that were done, each with its answer, so that the same call again gets it. The key is a
-- hash of function, functionCallIdentifier and content. No foreign key: the row of a client would be
-- locked by each of its calls.
create table operator_call (
    client_id   bigint      not null,
    key         bytea       not null check (length(key) = 32),
    order_id    bigint      not null,
    iccid       text        not null,
    eid         text,
    matching_id text,
    expires_at  timestamptz not null,
    primary key (client_id, key)
);
create index operator_call_expiry on operator_call (expires_at);

alter table profile_type add column operator_id bigint references operator;
update profile_type set operator_id = (select id from operator where name = 'default');
alter table profile_type alter column operator_id set not null;
alter table profile_type drop constraint profile_type_name_key;
alter table profile_type add unique (operator_id, name);

-- Who placed and who confirmed an order, as the audit trail names them: a repetition is theirs alone. Null:
-- not yet, or before this was kept.
alter table download_order
    add column placed_by    text,
    add column confirmed_by text;

-- Who may be told; null: nobody but the house itself. No foreign key, for the reason above.
alter table outbox add column operator_id bigint;
update outbox set operator_id = (select id from operator where name = 'default');

-- Delivery of events: who wants which, what is still owed to whom, and which instance is at it.

-- A server of somebody else's that is told things: the ES2+ server of an operator ('es2'), an SM-DS
-- ('es12').
create table subscriber (
    id          bigint      primary key generated always as identity,
    operator_id bigint      references operator on delete cascade,    -- null: an SM-DS, of all of them
    kind        text        not null check (kind in ('es2', 'es12')),
    name        text        not null check (length(name) between 1 and 253),
    address     text        not null check (length(address) between 1 and 1000),
    types       text[]      not null,                -- of the events that it wants
    roots       bytea,                               -- PEM, above its server's certificate; null: our CIs
    client      text,                                -- [client NAME] of the configuration: who we are
    card_events boolean     not null default true,   -- 'es2': also what cards tell of themselves
    paused      boolean     not null default false,
    created_at  timestamptz not null default now(),
    unique (kind, name),
    check ((operator_id is null) = (kind = 'es12'))
);
create unique index subscriber_es2 on subscriber (operator_id) where kind = 'es2';
create index subscriber_operator on subscriber (operator_id) where kind <> 'es12';

-- One event for one subscriber. It is waiting, delivered, or a dead letter.
create table delivery (
    subscriber_id bigint      not null references subscriber on delete cascade,
    outbox_id     bigint      not null references outbox on delete cascade,
    order_key     text        not null,
    seq           bigint      not null,
    state         text        not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
    attempts      integer     not null default 0,
    status        integer,                           -- HTTP status of the last attempt; null: no answer
    error         text,                              -- what was wrong with it, for people
    tried_at      timestamptz,
    primary key (subscriber_id, outbox_id)
);
create index delivery_head on delivery (subscriber_id, order_key, seq) where state = 'waiting';
create index delivery_waiting on delivery (subscriber_id, outbox_id) where state = 'waiting';
create index delivery_dead on delivery (subscriber_id, outbox_id) where state = 'dead';
create index delivery_outbox on delivery (outbox_id);

-- A key of which a subscriber is owed something: only its oldest event is on the way, and not before
-- next_at. Whoever changes what is owed holds this row.
create table delivery_key (
    subscriber_id bigint      not null references subscriber on delete cascade,
    order_key     text        not null,
    bucket        smallint    not null check (bucket between 0 and 255),
    pending       integer     not null,
    next_at       timestamptz not null,
    gap_seq       bigint,                            -- first dead letter since something was delivered
    primary key (subscriber_id, order_key)
) with (fillfactor = 70);
create index delivery_key_due on delivery_key (subscriber_id, next_at) where pending > 0;
create index delivery_key_idle on delivery_key (next_at) where pending = 0;

-- Which instance delivers a bucket of a subscriber's keys, until when. The token changes with the owner:
-- what a former owner comes to record is not taken.
create sequence delivery_token;
create table delivery_lease (
    subscriber_id bigint      not null references subscriber on delete cascade,
    bucket        smallint    not null,
    owner         uuid        not null,
    token         bigint      not null,
    expires_at    timestamptz not null,
    primary key (subscriber_id, bucket)
);

-- An event and what it owes to whom are one fact. An SM-DS that an event names becomes known with it; orders
-- name only those of the configuration. Subscribers are found one by one (offset 0), however many there are.
create function outbox_deliver() returns trigger
    language plpgsql as $$
begin
    if not exists (select from fresh) then
        return null;
    end if;
    insert into subscriber (kind, name, address, types)
    select distinct 'es12', f.data ->> 'smds', f.data ->> 'smds', array['es12.register', 'es12.delete']
      from fresh f
     where f.type in ('es12.register', 'es12.delete')
       and not exists (select from subscriber s where s.kind = 'es12' and s.name = f.data ->> 'smds')
        on conflict do nothing;
    with owed as (
        insert into delivery (subscriber_id, outbox_id, order_key, seq)
        select s.id, f.id, f.order_key, f.seq
          from fresh f
         cross join lateral (select id, types
                               from subscriber
                              where operator_id = f.operator_id and kind <> 'es12'
                             offset 0) s
         where f.type = any(s.types)
         union all
        select s.id, f.id, f.order_key, f.seq
          from fresh f
         cross join lateral (select id, types
                               from subscriber
                              where kind = 'es12' and name = f.data ->> 'smds'
                             offset 0) s
         where f.type = any(s.types)
     returning subscriber_id, order_key
    )
    insert into delivery_key (subscriber_id, order_key, bucket, pending, next_at)
    select subscriber_id, order_key, hashtext(order_key) & 255, count(*), now()
      from owed
     group by subscriber_id, order_key
     order by subscriber_id, order_key
        on conflict (subscriber_id, order_key) do update
       set pending = delivery_key.pending + excluded.pending,
           next_at = case when delivery_key.pending = 0 then excluded.next_at
                          else delivery_key.next_at end;
    return null;
end $$;
create trigger outbox_deliver after insert on outbox
    referencing new table as fresh for each statement execute function outbox_deliver();

-- 1 when an operator has a server that is told how its downloads go (ES2+, SGP.22 §5.3.5), and of what cards
-- do besides, else 0. What is told to nobody is not written, and takes no number.
create function es2_told(operator_id bigint, of_cards boolean default false) returns integer
    language sql stable parallel safe as $$
    select count(*)::integer
      from subscriber s
     where s.kind = 'es2' and s.operator_id = $1 and (s.card_events or not $2)
$$;

-- What an event es2.progress says: the members of HandleDownloadProgressInfo (§6.5.2.5). Without a subject
-- the point was passed.
create function es2_progress(iccid text, eid text, profile_type text, point integer, subject text,
                             reason text, message text, result_data text) returns jsonb
    language sql stable parallel safe as $$
    select jsonb_strip_nulls(jsonb_build_object(
               'iccid', iccid, 'eid', eid, 'profileType', profile_type,
               'timestamp', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               'notificationPointId', point,
               'notificationPointStatus',
               case when subject is null then jsonb_build_object('status', 'Executed-Success')
                    else jsonb_build_object(
                        'status', 'Failed',
                        'statusCodeData', jsonb_build_object(
                            'subjectCode', subject, 'reasonCode', reason, 'message', message)) end,
               'resultData', result_data))
$$;

-- What an event es12.register or es12.delete says.
create function es12_event(smds text, iccid text, eid text, matching_id text, order_id bigint) returns jsonb
    language sql immutable parallel safe as $$
    select jsonb_build_object('smds', smds, 'iccid', iccid, 'eid', eid, 'matchingId', matching_id,
                              'orderId', order_id)
$$;

-- For replays by time.
create index outbox_at on outbox using brin (at);

-- The SM-DS at which an order's event is, or is about to be, registered.
alter table download_order
    add column smds            text,
    add column registering_eid text,                 -- of the event …
    add column registering_at  timestamptz;          -- … while it is being registered, not yet confirmed
create index download_order_registering on download_order (registering_at) where registering_at is not null;

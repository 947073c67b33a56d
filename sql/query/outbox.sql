-- Delivery of what is in the outbox: leases, the head of each key, what became of it. An event is owed by
-- the trigger outbox_deliver. Rows of delivery_key are locked before those of delivery.

-- name: outbox_lease(owner uuid, lease_ms bigint, most integer, renew_ms bigint) -> leased bigint     zero rows: none
-- Takes the buckets in which something is due and that nobody holds: the lease is over, or its owner dead, which
-- has an advisory lock while it lives (outbox_owner_key); renews ours that have less left than renew_ms.
-- lane: background
-- writes
with due as (
    select distinct s.id, k.bucket
      from subscriber s
     cross join lateral (select d.bucket
                           from delivery_key d
                          where d.subscriber_id = s.id and d.pending > 0 and d.next_at <= now()
                          order by d.next_at
                          limit $3) k
     where not s.paused
), held as (
    insert into delivery_lease (subscriber_id, bucket, owner, token, expires_at)
    select id, bucket, $1, nextval('delivery_token'), now() + $2 * interval '1 millisecond'
      from due
     order by id, bucket
        on conflict (subscriber_id, bucket) do update
       set owner = excluded.owner,
           token = case when delivery_lease.owner = excluded.owner then delivery_lease.token
                        else excluded.token end,
           expires_at = excluded.expires_at
     where delivery_lease.expires_at <= now()
        or (delivery_lease.owner = excluded.owner
            and delivery_lease.expires_at < now() + $4 * interval '1 millisecond')
        or (delivery_lease.owner <> excluded.owner
            and pg_try_advisory_xact_lock(outbox_owner_key(delivery_lease.owner)))
 returning 1
)
select count(*) as leased from held;

-- name: outbox_due(owner uuid, margin_ms bigint, busy text[], most integer, most_in_all integer) -> subscriber_id bigint, payer bigint, kind text, name text, address text, roots bytea, client text, token bigint, order_key text, outbox_id bigint, event_id uuid, seq bigint, type text, data jsonb, at timestamptz, attempts integer, gap_seq bigint, needless boolean     zero rows: none
-- The heads of keys that are due in buckets of ours, whose lease lasts for the margin at least. Busy: what
-- is on the way already, as 'subscriber/key'. At most so many for each subscriber; of all the first of each
-- payer (an operator, or an SM-DS) before anybody's second. Needless: a DeleteEvent of what an open order needs,
-- or a RegisterEvent of what none does.
-- lane: background
with ready as (
    select s.*, k.token, k.order_key, k.gap_seq, k.next_at, coalesce(s.operator_id, -s.id) as payer
      from subscriber s
     cross join lateral (select d.order_key, d.gap_seq, d.next_at, l.token
                           from delivery_key d
                           join delivery_lease l on l.subscriber_id = d.subscriber_id
                            and l.bucket = d.bucket
                          where d.subscriber_id = s.id and d.pending > 0 and d.next_at <= now()
                            and l.owner = $1
                            and l.expires_at > now() + $2 * interval '1 millisecond'
                            and s.id || '/' || d.order_key <> all($3)
                          order by d.next_at
                          limit $4) k
     where not s.paused
), ranked as (
    select r.*, row_number() over (partition by r.payer order by r.next_at, r.order_key) as place
      from ready r
     order by place, r.next_at
     limit $5
)
select r.id as subscriber_id, r.payer, r.kind, r.name, r.address, r.roots, r.client, r.token, r.order_key,
       head.outbox_id, o.event_id, o.seq, o.type, o.data, o.at, head.attempts, r.gap_seq,
       case o.type when 'es12.delete' then es12_wanted(o.data)
                   when 'es12.register' then not es12_wanted(o.data)
                   else false end as needless
  from ranked r
 cross join lateral (select v.outbox_id, v.attempts
                       from delivery v
                      where v.subscriber_id = r.id and v.order_key = r.order_key
                        and v.state = 'waiting'
                      order by v.seq
                      limit 1) head
  join outbox o on o.id = head.outbox_id
 order by r.place, r.next_at;

-- name: outbox_settle(subscriber_id bigint, order_key text, outbox_id bigint, token bigint, state text, status integer, error text, wait_ms bigint) -> pending integer     zero rows: conflict
-- What became of an attempt: delivered, waiting for the next one, or dead, upon which the key goes on and
-- remembers the gap. Conflict: the bucket is another instance's meanwhile, or it is recorded already.
-- lane: background
with held as (
    select k.subscriber_id, k.order_key
      from delivery_key k
      join delivery_lease l on l.subscriber_id = k.subscriber_id and l.bucket = k.bucket
     where k.subscriber_id = $1 and k.order_key = $2 and l.token = $4
       for update of k
), told as (
    update delivery v
       set state = $5, attempts = v.attempts + 1, status = $6, error = $7, tried_at = now()
      from held
     where v.subscriber_id = held.subscriber_id and v.outbox_id = $3 and v.state = 'waiting'
 returning v.subscriber_id, v.order_key, v.seq
)
update delivery_key k
   set pending = k.pending - case when $5 = 'waiting' then 0 else 1 end,
       next_at = now() + $8 * interval '1 millisecond',
       gap_seq = case $5 when 'dead' then coalesce(k.gap_seq, told.seq)
                         when 'waiting' then k.gap_seq end
  from told
 where k.subscriber_id = told.subscriber_id and k.order_key = told.order_key
returning k.pending;

-- name: outbox_release(owner uuid) -> released bigint     zero rows: none
-- A clean end: other instances need not wait for the leases to expire.
-- lane: background
with gone as (
    delete from delivery_lease where owner = $1 returning 1
)
select count(*) as released from gone;

-- name: outbox_lag() -> subscriber_id bigint, kind text, name text, paused boolean, waiting bigint, dead bigint, oldest timestamptz     zero rows: none
-- How far behind each subscriber is: what waits for it since when, and its dead letters.
-- lane: background
select s.id as subscriber_id, s.kind, s.name, s.paused,
       (select coalesce(sum(k.pending), 0)::bigint
          from delivery_key k
         where k.subscriber_id = s.id and k.pending > 0)                as waiting,
       (select count(*) from delivery v
         where v.subscriber_id = s.id and v.state = 'dead')             as dead,
       (select o.at
          from outbox o
         where o.id = (select min(v.outbox_id)
                         from delivery v
                        where v.subscriber_id = s.id and v.state = 'waiting')) as oldest
  from subscriber s
 order by s.id;

-- name: outbox_sweep(most integer) -> swept bigint     zero rows: none
-- Keys of which nothing is owed, and leases that nobody renewed for an hour.
-- lane: background
with idle as (
    select ctid
      from delivery_key
     where pending = 0 and next_at < now() - interval '1 hour'
     order by next_at
     limit $1
       for update skip locked
), gone as (
    delete from delivery_key where ctid = any (array(select ctid from idle)) returning 1
), stale as (
    delete from delivery_lease where expires_at < now() - interval '1 hour' returning 1
)
select (select count(*) from gone) + (select count(*) from stale) as swept;

-- name: outbox_forget(keep_seconds bigint, most integer) -> swept bigint     zero rows: none
-- What was told so long ago; the events themselves stay.
-- lane: background
-- writes
with old as (
    select ctid
      from delivery
     where state = 'delivered' and tried_at < now() - $1 * interval '1 second'
     order by tried_at
     limit $2
       for update skip locked
), gone as (
    delete from delivery where ctid = any (array(select ctid from old)) returning 1
)
select count(*) as swept from gone;

-- name: subscriber_callback(operator_name text, address text, roots bytea, client text, card_events boolean, actor text, why text) -> view jsonb     zero rows: none
-- The ES2+ server of an operator: made, or what is given changed. None: no such operator, or there is no
-- server yet and no address for it.
-- lane: background
with made as (
    insert into subscriber (operator_id, kind, name, address, types, roots, client, card_events)
    select o.id, 'es2', o.name, coalesce($2, known.address), array['es2.progress'], $3, $4, coalesce($5, true)
      from operator o
      left join subscriber known on known.kind = 'es2' and known.operator_id = o.id
     where o.name = $1 and coalesce($2, known.address) is not null
        on conflict (kind, name) do update
       set address = excluded.address,
           roots = coalesce(excluded.roots, subscriber.roots),
           client = coalesce(excluded.client, subscriber.client),
           card_events = coalesce($5, subscriber.card_events)
     where (subscriber.address, subscriber.roots, subscriber.client, subscriber.card_events)
           is distinct from (excluded.address, coalesce(excluded.roots, subscriber.roots),
                             coalesce(excluded.client, subscriber.client),
                             coalesce($5, subscriber.card_events))
 returning *
), audited as (
    insert into audit (actor, act, why)
    select $6, 'operator.callback', 'operator=' || name || ' address=' || address || ' ' || $7 from made
)
select jsonb_strip_nulls(jsonb_build_object(
           'name', name, 'kind', kind, 'address', address, 'client', client,
           'cardEvents', card_events, 'roots', roots is not null, 'paused', paused)) as view
  from (select * from made
         union all
        select s.* from subscriber s
         where s.kind = 'es2' and s.name = $1 and not exists (select from made)) known;

-- name: subscriber_remove(name text, actor text, why text) -> view jsonb     zero rows: none
-- With all that is owed to it.
-- lane: background
with gone as (
    delete from subscriber where name = $1 returning name
), audited as (
    insert into audit (actor, act, why)
    select $2, 'subscriber.remove', 'subscriber=' || name || ' ' || $3 from gone
)
select jsonb_build_object('name', name) as view from gone limit 1;

-- name: subscriber_pause(name text, paused boolean, actor text, why text) -> view jsonb     zero rows: none
-- Stops or resumes what is told to a subscriber. When it is resumed everything is due at once.
-- lane: background
with changed as (
    update subscriber set paused = $2 where name = $1 and paused <> $2 returning name, paused
), due as (
    update delivery_key k
       set next_at = now()
      from subscriber s
     where s.name = $1 and k.subscriber_id = s.id and k.pending > 0 and k.next_at > now() and not $2
), audited as (
    insert into audit (actor, act, why)
    select $3, case when paused then 'subscriber.pause' else 'subscriber.resume' end,
           'subscriber=' || name || ' ' || $4
      from changed
)
select jsonb_build_object('name', name, 'paused', $2) as view from subscriber where name = $1 limit 1;

-- name: outbox_replay(name text, iccid text, since timestamptz, until timestamptz, most integer, actor text, why text) -> view jsonb     zero rows: none
-- Tells a subscriber again what it was told, or was not told for good, of a profile or of a time.
-- lane: background
with one as (
    select id, name, operator_id, types, kind from subscriber where name = $1
), events as (
    (select o.id, o.order_key, o.seq, o.type, o.data, o.operator_id
       from outbox o
      where o.order_key = $2 and ($3 is null or o.at >= $3) and ($4 is null or o.at < $4)
      limit $5)
     union all
    (select o.id, o.order_key, o.seq, o.type, o.data, o.operator_id
       from outbox o
      where $2 is null and o.at >= $3 and o.at < coalesce($4, now())
      limit $5)
), wanted as (
    select one.id as subscriber_id, e.id as outbox_id,
           delivery_key_of(one.kind, e.order_key, e.data) as order_key,
           delivery_seq_of(one.kind, e.id, e.seq) as seq
      from one
      join events e on e.type = any(one.types)
       and (one.operator_id is null or one.operator_id = e.operator_id)
       and (one.kind <> 'es12' or one.name = e.data ->> 'smds')
), again as (
    insert into delivery (subscriber_id, outbox_id, order_key, seq)
    select subscriber_id, outbox_id, order_key, seq from wanted
        on conflict (subscriber_id, outbox_id) do update
       set state = 'waiting', attempts = 0, error = null, status = null
     where delivery.state <> 'waiting'
 returning subscriber_id, order_key
), due as (
    insert into delivery_key (subscriber_id, order_key, bucket, pending, next_at)
    select subscriber_id, order_key, hashtext(order_key) & 255, count(*), now()
      from again
     group by subscriber_id, order_key
     order by subscriber_id, order_key
        on conflict (subscriber_id, order_key) do update
       set pending = delivery_key.pending + excluded.pending, next_at = excluded.next_at
 returning 1
), audited as (
    insert into audit (actor, act, iccid, why)
    select $6, 'event.replay', $2, 'subscriber=' || name || ' ' || $7
      from one
     where exists (select from again)
)
select jsonb_build_object('name', one.name, 'events', (select count(*) from again)) as view from one;

-- name: view_subscribers(name text) -> view jsonb     zero rows: none
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'name', s.name, 'kind', s.kind, 'address', s.address, 'operator', p.name,
           'client', s.client, 'cardEvents', case s.kind when 'es2' then s.card_events end,
           'roots', s.roots is not null, 'paused', s.paused, 'createdAt', utc(s.created_at),
           'waiting', (select coalesce(sum(k.pending), 0) from delivery_key k
                        where k.subscriber_id = s.id and k.pending > 0),
           'dead', (select count(*) from delivery v where v.subscriber_id = s.id and v.state = 'dead'),
           'oldest', (select utc(o.at)
                        from outbox o
                       where o.id = (select min(v.outbox_id)
                                       from delivery v
                                      where v.subscriber_id = s.id and v.state = 'waiting')),
           'lastError', (select v.error
                           from delivery_key k
                           join delivery v on v.subscriber_id = k.subscriber_id
                            and v.order_key = k.order_key and v.state = 'waiting'
                          where k.subscriber_id = s.id and k.pending > 0 and v.error is not null
                          limit 1))) as view
  from subscriber s
  left join operator p on p.id = s.operator_id
 where $1 is null or s.name = $1
 order by s.id;

-- name: view_deliveries(name text, state text, iccid text, most integer) -> view jsonb     zero rows: none
-- What a subscriber was told, or is owed, the newest; one branch for each state, so that each goes by its index.
-- lane: background
with newest as (
    (select v.* from delivery v
      where v.subscriber_id = (select id from subscriber where name = $1) and $3 is null
        and ($2 is null or $2 = 'delivered')
        and ($2 is null or v.state = 'delivered')
      order by v.outbox_id desc limit $4)
     union all
    (select v.* from delivery v
      where v.subscriber_id = (select id from subscriber where name = $1) and v.state = 'waiting'
        and $3 is null and $2 = 'waiting'
      order by v.outbox_id desc limit $4)
     union all
    (select v.* from delivery v
      where v.subscriber_id = (select id from subscriber where name = $1) and v.state = 'dead'
        and $3 is null and $2 = 'dead'
      order by v.outbox_id desc limit $4)
     union all
    (select v.*
       from outbox o
       join delivery v on v.outbox_id = o.id
      where o.order_key = $3 and v.subscriber_id = (select id from subscriber where name = $1)
        and ($2 is null or v.state = $2)
      order by v.outbox_id desc limit $4)
)
select jsonb_strip_nulls(jsonb_build_object(
           'id', o.event_id, 'key', o.order_key, 'seq', o.seq, 'type', o.type, 'at', utc(o.at),
           'data', o.data, 'subscriber', $1, 'state', n.state, 'attempts', n.attempts,
           'status', n.status, 'error', n.error, 'triedAt', utc(n.tried_at))) as view
  from newest n
 cross join lateral (select * from outbox where id = n.outbox_id limit 1) o
 order by o.id;

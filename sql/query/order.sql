-- Download orders and the moves that operators and administrators make (SGP.22 §3.1.6, §5.3.1 to
-- §5.3.4; RULES of docs/orders.md). Each move locks profile and order, asks profile_move, and writes
-- state, order, outbox and audit at once. Rows of profile are locked before those of download_order.

-- name: order_prepare(iccid text, type_name text, operator_id bigint, operator_name text, reusable boolean) -> order_id bigint, operator_id bigint, type_id bigint, type_foreign boolean, iccid_type_id bigint, iccid_operator_id bigint, iccid_test boolean, type_operational boolean     zero rows: none
-- What DownloadOrder needs before it writes: a number for the order, by which the write knows its own
-- repetition; the operator (an administrator names it); the type that was named, if it is the operator's,
-- and whether it is another's; type and operator of the profile that was named, and whether it is of class
-- test; and, for a reusable order, whether profiles of the type are of another. Absent: not known.
with caller as (
    select coalesce($3, (select id from operator where name = $4)) as id
)
select nextval('download_order_id_seq') as order_id,
       caller.id                        as operator_id,
       (select y.id from profile_type y where y.operator_id = caller.id and y.name = $2) as type_id,
       exists (select from profile_type y where y.operator_id <> caller.id and y.name = $2)
                                        as type_foreign,
       p.type_id                        as iccid_type_id,
       t.operator_id                    as iccid_operator_id,
       coalesce(p.class = 'test', false) as iccid_test,
       $5 is true and exists (
           select from profile_type y
            where y.operator_id = caller.id and y.name = $2
              and (y.class <> 'test'
                   or exists (select from profile q
                               where q.type_id = y.id and q.state = 'available' and q.class <> 'test'))
       ) as type_operational
  from caller
  left join profile p on p.iccid = $1
  left join profile_type t on t.id = p.type_id;

-- name: order_create(order_id bigint, iccid text, type_id bigint, event text, eid text, lifetime bigint, actor text, why text, client_id bigint, call_key bytea, call_seconds bigint, reusable boolean, mark bytea) -> order_id bigint, iccid text, state text     zero rows: conflict
-- DownloadOrder, §5.3.1: reserves the profile of this ICCID, or (ICCID absent) one of the type from
-- stock. A repetition is a call that is remembered, an order of this number, or, for an ICCID, an order
-- of the same caller, mark and content that is still as DownloadOrder left it. The order keeps to the
-- type's newest template. Stock is counted only by an order that can be the one after which it is low: each
-- takes a number, so none can before as many numbers as there were profiles above the low water (and 64
-- less, for orders that run beside each other). Reusable: for any number of eUICCs, of a test profile only.
-- Conflict: the profile is not in stock, or none of its type is.
with known as materialized (
    select order_id, iccid, eid, matching_id from operator_call where client_id = $9 and key = $10
), again as materialized (
    select id, iccid from download_order where id = $1
), stock as (
    select iccid
      from profile
     where type_id = $3 and state = 'available' and $2::text is null
       and ($12 is not true or class = 'test')
       and not exists (select from again) and not exists (select from known)
     order by iccid
     limit 1
       for update skip locked
), was as (
    select p.iccid, m.event, m.from_state, m.to_state, p.type_id,
           case when p.personal is not null then t.template_version end as template_version
      from profile p
      join profile_type t on t.id = p.type_id
      join profile_move m on m.event = $4 and m.from_state = p.state
     where p.iccid = coalesce($2, (select iccid from stock))
       and ($12 is not true or p.class = 'test')
       and not exists (select from again) and not exists (select from known)
       for update of p
), placed as (
    insert into download_order (id, iccid, eid, linked_at, linked_by, expires_at, template_version,
                                reusable, placed_by, placed_mark)
    overriding system value
    select $1, iccid, $5, case when $5 is not null then now() end,
           case when $5 is not null then 'DownloadOrder' end, now() + $6 * interval '1 second',
           template_version, coalesce($12, false), $7, $13
      from was
 returning id, iccid, eid
), moved as (
    update profile p
       set state = was.to_state, state_since = now(), order_id = placed.id,
           event_seq = p.event_seq + 1
      from was, placed
     where p.iccid = was.iccid
 returning p.iccid, p.type_id, p.event_seq, was.event, was.from_state, was.to_state, placed.id,
           placed.eid
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select t.operator_id, m.iccid, m.event_seq, 'profile.ordered',
           jsonb_strip_nulls(jsonb_build_object('iccid', m.iccid, 'eid', m.eid, 'orderId', m.id,
                                                'profileType', t.name, 'state', m.to_state,
                                                'reusable', nullif($12, false)))
      from moved m
      join profile_type t on t.id = m.type_id
), probed as (
    select t.id, profile_stock(t.id, t.low_water + 10000) - 1 as stock
      from was
      join profile_type t on t.id = was.type_id
     where not t.stock_low and t.stock_probe <= $1 and t.low_water is not null
), low as (
    update profile_type t
       set stock_low = probed.stock < t.low_water,
           stock_probe = $1 + probed.stock - t.low_water - 64,
           alert_seq = t.alert_seq + (probed.stock < t.low_water)::integer
      from probed
     where t.id = probed.id and not t.stock_low and t.stock_probe <= $1
 returning t.id, t.operator_id, t.name, t.stock_low, t.alert_seq, t.low_water, probed.stock
), warned as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, 'type-' || id, alert_seq, 'alert.stock-low',
           jsonb_build_object('profileType', name, 'stock', stock, 'lowWater', low_water)
      from low
     where stock_low
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select $7, event, iccid, eid, id, from_state, to_state, $8 from moved
), done as (
    select id as order_id, iccid, to_state as state from moved
     union all
    select o.id, p.iccid, p.state
      from profile p
      join download_order o on o.id = p.order_id
      join profile_move m on m.event = $4 and m.to_state = p.state
     where p.iccid = $2 and o.id <> $1 and o.pending and o.eid is not distinct from $5
       and o.reusable = coalesce($12, false) and o.matching_id is null
       and coalesce(o.placed_by, $7) = $7 and o.placed_mark is not distinct from $13
       and not exists (select from known)
), remembered as (
    insert into operator_call (client_id, key, order_id, iccid, eid, matching_id, expires_at)
    select $9, $10, order_id, iccid, null, null, now() + $11 * interval '1 second'
      from done
     where $10 is not null
)
select order_id, iccid, null as state from known
 union all
select order_id, iccid, state from done
 union all
select a.id, a.iccid, p.state
  from again a
  join profile p on p.iccid = a.iccid
 where not exists (select from known);

-- name: order_confirm(iccid text, event text, eid text, matching_id text, chosen boolean, cc_sha256 bytea, actor text, why text, client_id bigint, call_key bytea, call_seconds bigint, operator_id bigint, smds text, mark bytea) -> order_id bigint, iccid text, eid text, matching_id text, state text     zero rows: conflict
-- ConfirmOrder, §5.3.2: fixes MatchingID and Confirmation Code, and perhaps the EID. A repetition is a
-- call that is remembered, or an order that this caller confirmed with this event, mark and content, in the state
-- that the event makes; a MatchingID that the caller has not chosen is then the first one's. With an SM-DS the event
-- was registered there, under this reservation or one with the same content, and registered once more behind
-- what was, or is to be, told of it since, of any order; without, a reservation is taken back and its event
-- deleted.
-- Conflict: it is another operator's, or state, EID, MatchingID or reservation do not allow it.
with known as materialized (
    select order_id, iccid, eid, matching_id from operator_call where client_id = $9 and key = $10
), was as (
    select p.iccid, o.id, o.eid, m.event, m.from_state, m.to_state, o.smds,
           o.registering_eid as event_eid, o.matching_id as event_id,
           (o.registering_at is not null and $13::text is null)::integer as outdone,
           o.registering_at,
           (exists (select from subscriber s
                      join delivery_key k on k.subscriber_id = s.id
                     where s.kind = 'es12' and s.name = $13::text
                       and k.order_key = es12_key(o.registering_eid, $4)
                       and (k.pending > 0 or k.next_at >= o.registering_at)))::integer as doomed
      from profile p
      join profile_type t on t.id = p.type_id and ($12::bigint is null or t.operator_id = $12)
      join download_order o on o.id = p.order_id
      join profile_move m on m.event = $2 and m.from_state = p.state
     where p.iccid = $1 and o.pending
       and (o.eid is null or $3 is null or o.eid = $3)
       and ($4 <> '' or coalesce(o.eid, $3) is not null)
       and ($13 is null or (o.registering_at is not null and o.smds = $13 and o.matching_id = $4
                            and o.registering_eid = coalesce(o.eid, $3)))
       and not exists (select from download_order x
                        where x.matching_id = $4 and x.matching_id <> '' and x.pending
                          and not x.frozen and x.id <> o.id)
       and not exists (select from known)
       for update of p, o
), settled as (
    update download_order o
       set matching_id = $4,
           smds = $13,
           registering_eid = null,
           registering_at = null,
           cc_sha256 = $6,
           confirmed_by = $7,
           confirmed_mark = $14,
           confirmed_event = $2,
           eid = coalesce(o.eid, $3),
           linked_at = case when o.eid is null and $3 is not null then now() else o.linked_at end,
           linked_by = case when o.eid is null and $3 is not null then 'ConfirmOrder'
                            else o.linked_by end
      from was
     where o.id = was.id
 returning o.id, o.eid, o.matching_id
), moved as (
    update profile p
       set state = was.to_state, state_since = now(),
           event_seq = p.event_seq + 1 + was.outdone + was.doomed
      from was, settled
     where p.iccid = was.iccid
 returning p.iccid, p.type_id, p.event_seq - was.outdone - was.doomed as event_seq, was.event,
           was.from_state, was.to_state, settled.id, settled.eid, settled.matching_id, was.outdone,
           was.doomed, was.smds, was.event_eid, was.event_id, was.registering_at
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select t.operator_id, m.iccid, m.event_seq,
           case m.to_state when 'released' then 'profile.released' else 'profile.confirmed' end,
           jsonb_strip_nulls(jsonb_build_object('iccid', m.iccid, 'eid', m.eid, 'orderId', m.id,
                                                'profileType', t.name, 'state', m.to_state,
                                                'reusable', nullif(d.reusable, false)))
      from moved m
      join profile_type t on t.id = m.type_id
      join download_order d on d.id = m.id
     union all
    select t.operator_id, m.iccid, m.event_seq + 1, 'es12.delete',
           es12_event(m.smds, m.iccid, m.event_eid, m.event_id, m.id, m.registering_at)
      from moved m
      join profile_type t on t.id = m.type_id
     where m.outdone = 1
     union all
    select t.operator_id, m.iccid, m.event_seq + 1, 'es12.register',
           es12_event(m.smds, m.iccid, m.event_eid, m.event_id, m.id)
      from moved m
      join profile_type t on t.id = m.type_id
     where m.doomed = 1
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select $7, event, iccid, eid, id, from_state, to_state, $8 from moved
     union all
    select $7, 'register_event', iccid, eid, id, null, null, $13 from moved where $13 is not null
), done as (
    select id as order_id, iccid, eid, matching_id, to_state as state from moved
     union all
    select o.id, p.iccid, o.eid, o.matching_id, p.state
      from profile p
      join profile_type t on t.id = p.type_id and ($12::bigint is null or t.operator_id = $12)
      join download_order o on o.id = p.order_id
      join profile_move m on m.event = $2 and m.to_state = p.state and m.from_state = 'allocated'
     where p.iccid = $1 and o.pending and not exists (select from moved)
       and ($3 is null or o.eid = $3)
       and (o.matching_id = $4 or not $5)
       and o.cc_sha256 is not distinct from $6
       and o.smds is not distinct from $13
       and coalesce(o.confirmed_by, $7) = $7 and o.confirmed_mark is not distinct from $14
       and coalesce(o.confirmed_event, $2) = $2
       and not o.package_out
       and not exists (select from known)
), remembered as (
    insert into operator_call (client_id, key, order_id, iccid, eid, matching_id, expires_at)
    select $9, $10, order_id, iccid, eid, matching_id, now() + $11 * interval '1 second'
      from done
     where $10 is not null
)
select order_id, iccid, eid, matching_id, null as state from known
 union all
select order_id, iccid, eid, matching_id, state from done;

-- name: order_reserve(iccid text, eid text, matching_id text, chosen boolean, smds text, operator_id bigint, client_id bigint, call_key bytea) -> order_id bigint, eid text, matching_id text, at timestamptz     zero rows: conflict
-- ConfirmOrder with an SM-DS: fixes the MatchingID on the order before it is registered there as EventID,
-- and moves nothing. The same once more takes the reservation over, with its MatchingID unless another is
-- chosen. A call that is remembered reserves nothing, and has no time. Conflict: another operator's, or
-- state, EID, MatchingID or another's reservation do not allow it.
with known as materialized (
    select order_id, eid, matching_id from operator_call where client_id = $7 and key = $8
), was as (
    select o.id, o.matching_id, o.registering_at
      from profile p
      join profile_type t on t.id = p.type_id and ($6::bigint is null or t.operator_id = $6)
      join download_order o on o.id = p.order_id
      join profile_move m on m.event = 'confirm_order' and m.from_state = p.state
     where p.iccid = $1 and o.pending
       and (o.eid is null or $2 is null or o.eid = $2) and coalesce(o.eid, $2) is not null
       and (o.registering_at is null
            or (o.smds = $5 and o.registering_eid = coalesce(o.eid, $2)
                and (not $4 or o.matching_id = $3)))
       and not exists (select from download_order x
                        where x.matching_id = $3 and x.matching_id <> '' and x.pending
                          and not x.frozen and x.id <> o.id)
       and not exists (select from known)
       for update of p, o
), reserved as (
    update download_order o
       set matching_id = case when was.registering_at is null then $3 else was.matching_id end,
           smds = $5,
           registering_eid = coalesce(o.eid, $2),
           registering_at = clock_timestamp()
      from was
     where o.id = was.id
 returning o.id, o.registering_eid, o.matching_id, o.registering_at
)
select order_id, eid, matching_id, null as at from known
 union all
select id, registering_eid, matching_id, registering_at from reserved;

-- name: order_unreserve(order_id bigint, at timestamptz, smds text, eid text, matching_id text) -> freed bigint     zero rows: none
-- A ConfirmOrder came to nothing after its event went to the SM-DS: its reservation is taken back, when it is
-- still there, and the event deleted, whatever happened to the order meanwhile; whether it was registered need
-- not be sure. Not when a pending order has this event by now. Once more is one deletion more.
with was as (
    select o.id, p.iccid, t.operator_id
      from download_order o
      join profile p on p.iccid = o.iccid
      join profile_type t on t.id = p.type_id
     where o.id = $1
       and not exists (select from download_order x
                        where x.matching_id = $5 and x.matching_id <> '' and x.pending
                          and not x.frozen and x.smds = $3
                          and coalesce(x.eid, x.registering_eid) = $4
                          and (x.id <> $1 or x.registering_at is distinct from $2))
       for update of p, o
), freed as (
    update download_order o
       set matching_id = null, smds = null, registering_eid = null, registering_at = null
      from was
     where o.id = was.id and o.registering_at = $2
 returning 1
), counted as (
    update profile p set event_seq = p.event_seq + 1 from was where p.iccid = was.iccid
 returning p.iccid, p.event_seq
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select was.operator_id, was.iccid, counted.event_seq, 'es12.delete',
           es12_event($3, was.iccid, $4, $5, was.id)
      from was
      join counted on counted.iccid = was.iccid
)
select count(*) as freed from freed;

-- name: order_unreserve_left(most integer) -> freed bigint     zero rows: none
-- Takes back reservations that nobody came back for within a minute. Whether the event was registered is not
-- sure: it is deleted.
with due as (
    select o.id, p.iccid, t.operator_id, o.smds, o.matching_id, o.registering_eid
      from download_order o
      join profile p on p.iccid = o.iccid
      join profile_type t on t.id = p.type_id
     where o.registering_at < now() - interval '1 minute'
     limit $1
       for update of p, o skip locked
), freed as (
    update download_order o
       set matching_id = null, smds = null, registering_eid = null, registering_at = null
      from due
     where o.id = due.id
), counted as (
    update profile p set event_seq = p.event_seq + 1 from due where p.iccid = due.iccid
 returning p.iccid, p.event_seq
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select due.operator_id, due.iccid, counted.event_seq, 'es12.delete',
           es12_event(due.smds, due.iccid, due.registering_eid, due.matching_id, due.id)
      from due
      join counted on counted.iccid = due.iccid
)
select count(*) as freed from due;

-- name: order_release(iccid text, actor text, why text, client_id bigint, call_key bytea, call_seconds bigint, operator_id bigint, mark bytea) -> order_id bigint, iccid text, eid text, state text     zero rows: conflict
-- ReleaseProfile, §5.3.4. A repetition is a profile whose newest move was this one, made by the same caller with
-- the same mark, or a call that is remembered. Conflict: it is another operator's, or not Confirmed.
with known as materialized (
    select order_id, iccid, eid, matching_id from operator_call where client_id = $4 and key = $5
), was as (
    select p.iccid, o.id, o.eid, m.event, m.from_state, m.to_state
      from profile p
      join profile_type t on t.id = p.type_id and ($7::bigint is null or t.operator_id = $7)
      join download_order o on o.id = p.order_id
      join profile_move m on m.event = 'release_profile' and m.from_state = p.state
     where p.iccid = $1 and o.pending and not exists (select from known)
       for update of p, o
), marked as (
    update download_order o set released_mark = $8 from was where o.id = was.id
), moved as (
    update profile p
       set state = was.to_state, state_since = now(), event_seq = p.event_seq + 1
      from was
     where p.iccid = was.iccid
 returning p.iccid, p.type_id, p.event_seq, was.event, was.from_state, was.to_state, was.id, was.eid
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select t.operator_id, m.iccid, m.event_seq, 'profile.released',
           jsonb_strip_nulls(jsonb_build_object('iccid', m.iccid, 'eid', m.eid, 'orderId', m.id,
                                                'profileType', t.name, 'state', m.to_state,
                                                'reusable', nullif(d.reusable, false)))
      from moved m
      join profile_type t on t.id = m.type_id
      join download_order d on d.id = m.id
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select $2, event, iccid, eid, id, from_state, to_state, $3 from moved
), done as (
    select id as order_id, iccid, eid, to_state as state from moved
     union all
    select o.id, p.iccid, o.eid, p.state
      from profile p
      join profile_type t on t.id = p.type_id and ($7::bigint is null or t.operator_id = $7)
      join download_order o on o.id = p.order_id
     where p.iccid = $1 and p.state = 'released' and not exists (select from moved)
       and o.released_mark is not distinct from $8
       and (select a.act = 'release_profile' and a.actor = $2
              from audit a
             where a.iccid = $1 and a.to_state is not null
             order by a.id desc
             limit 1)
       and not exists (select from known)
), remembered as (
    insert into operator_call (client_id, key, order_id, iccid, eid, matching_id, expires_at)
    select $4, $5, order_id, iccid, eid, null, now() + $6 * interval '1 second'
      from done
     where $5 is not null
)
select order_id, iccid, eid, null as state from known
 union all
select order_id, iccid, eid, state from done;

-- name: order_cancel(iccid text, event text, force boolean, eid text, matching_id text, trusted boolean, actor text, why text, client_id bigint, call_key bytea, call_seconds bigint, operator_id bigint, mark bytea) -> order_id bigint, iccid text, state text     zero rows: conflict
-- CancelOrder, §5.3.3, the event saying where to. Unless the caller is trusted to know what it cancels,
-- EID and MatchingID are due when the order has them, an empty one being none; a MatchingID that is only
-- reserved is not. A package that left keeps the profile out of stock; with force a Downloaded one goes
-- too. To Unavailable also an order ends that was frozen when the card of an older one reported its success;
-- the profile stays as it is then. A repetition finds the order cancelled by the same caller with the same mark
-- and the profile there, and what was due still is; or it is a call that is remembered. Conflict: it is another
-- operator's, or state, EID or MatchingID do not allow it.
with known as materialized (
    select order_id, iccid, eid, matching_id from operator_call where client_id = $9 and key = $10
), was as (
    select p.iccid, o.id, o.eid, m.event, m.from_state, m.to_state, o.smds, o.matching_id,
           coalesce(o.eid, o.registering_eid) as event_eid, o.registering_at
      from profile p
      join profile_type t on t.id = p.type_id and ($12::bigint is null or t.operator_id = $12)
      join download_order o on o.id = p.order_id
      join profile_move m on m.from_state = p.state
       and m.event in ($2, case when $3 then 'force_unavailable' end)
     where p.iccid = $1 and o.pending
       and ($4 is null or $4 in (o.eid, o.registering_eid)) and ($6 or $4 is not null or o.eid is null)
       and ($5 is null or o.matching_id = $5)
       and ($6 or $5 is not null or coalesce(o.matching_id, '') = '' or o.registering_at is not null)
       and (m.to_state = 'unavailable' or not o.package_out)
       and not exists (select from known)
       for update of p, o
), ended as (
    update download_order o
       set pending = false, cancelled_at = now(), cancelled_by = $7, cancelled_mark = $13,
           registering_at = null
      from was
     where o.id = was.id
), ice as (
    select o.id, o.iccid, o.eid, o.smds, o.matching_id, coalesce(o.eid, o.registering_eid) as event_eid,
           o.registering_at, p.state, t.operator_id
      from profile p
      join profile_type t on t.id = p.type_id and ($12::bigint is null or t.operator_id = $12)
      join download_order o on o.iccid = p.iccid and o.id <> p.order_id
     where p.iccid = $1 and o.pending and o.frozen and $2 = 'cancel_order_unavailable'
       and ($4 is null or o.eid = $4) and ($6 or $4 is not null or o.eid is null)
       and ($5 is null or o.matching_id = $5) and ($6 or $5 is not null or coalesce(o.matching_id, '') = '')
       and not exists (select from was) and not exists (select from known)
       for update of p, o
), thawed as (
    update download_order o
       set pending = false, cancelled_at = now(), cancelled_by = $7, cancelled_mark = $13,
           registering_at = null
      from ice
     where o.id = ice.id
), counted as ( -- frozen by a release that left the event at the SM-DS
    update profile p
       set event_seq = p.event_seq + x.n
      from (select iccid, count(*) as n from ice where smds is not null group by iccid) x
     where p.iccid = x.iccid
 returning p.iccid, p.event_seq - x.n as event_seq
), erased as (
    delete from binding b using was where b.order_id = was.id
), moved as (
    update profile p
       set state = was.to_state, state_since = now(),
           event_seq = p.event_seq + 1 + (was.smds is not null)::integer
      from was
     where p.iccid = was.iccid
 returning p.iccid, p.type_id, p.event_seq - (was.smds is not null)::integer as event_seq,
           was.event, was.from_state, was.to_state, was.id, was.eid, was.smds, was.matching_id,
           was.event_eid, was.registering_at
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select t.operator_id, m.iccid, m.event_seq, 'profile.cancelled',
           jsonb_strip_nulls(jsonb_build_object('iccid', m.iccid, 'eid', m.eid, 'orderId', m.id,
                                                'profileType', t.name, 'state', m.to_state,
                                                'reusable', nullif(d.reusable, false)))
      from moved m
      join profile_type t on t.id = m.type_id
      join download_order d on d.id = m.id
     union all
    select t.operator_id, m.iccid, m.event_seq + 1, 'es12.delete',
           es12_event(m.smds, m.iccid, m.event_eid, m.matching_id, m.id, m.registering_at)
      from moved m
      join profile_type t on t.id = m.type_id
     where m.smds is not null
     union all
    select ice.operator_id, ice.iccid, c.event_seq + row_number() over (order by ice.id), 'es12.delete',
           es12_event(ice.smds, ice.iccid, ice.event_eid, ice.matching_id, ice.id, ice.registering_at)
      from ice
      join counted c on c.iccid = ice.iccid
     where ice.smds is not null
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select $7, event, iccid, eid, id, from_state, to_state, $8 from moved
     union all
    select $7, 'cancel_frozen_order', iccid, eid, id, null, null, $8 from ice
), done as (
    select id as order_id, iccid, to_state as state from moved
     union all
    (select id, iccid, state from ice order by id limit 1)
     union all
    select o.id, p.iccid, p.state
      from profile p
      join profile_type t on t.id = p.type_id and ($12::bigint is null or t.operator_id = $12)
      join download_order o on o.id = p.order_id
     where p.iccid = $1 and o.cancelled_at is not null and not exists (select from moved)
       and coalesce(o.cancelled_by, $7) = $7 and o.cancelled_mark is not distinct from $13
       and exists (select from profile_move m where m.event = $2 and m.to_state = p.state)
       and ($4 is null or $4 in (o.eid, o.registering_eid)) and ($6 or $4 is not null or o.eid is null)
       and ($5 is null or o.matching_id = $5)
       and ($6 or $5 is not null or coalesce(o.matching_id, '') = '' or o.registering_eid is not null)
       and not exists (select from known)
     union all
    (select o.id, p.iccid, p.state
      from profile p
      join profile_type t on t.id = p.type_id and ($12::bigint is null or t.operator_id = $12)
      join download_order o on o.iccid = p.iccid and o.id <> p.order_id
     where p.iccid = $1 and o.frozen and o.cancelled_at is not null
       and coalesce(o.cancelled_by, $7) = $7 and o.cancelled_mark is not distinct from $13
       and $2 = 'cancel_order_unavailable' and not exists (select from moved)
       and not exists (select from ice) and not exists (select from known)
       and ($4 is null or o.eid = $4) and ($6 or $4 is not null or o.eid is null)
       and ($5 is null or o.matching_id = $5) and ($6 or $5 is not null or coalesce(o.matching_id, '') = '')
     order by o.id
     limit 1)
), remembered as (
    insert into operator_call (client_id, key, order_id, iccid, eid, matching_id, expires_at)
    select $9, $10, order_id, iccid, null, null, now() + $11 * interval '1 second'
      from done
     where $10 is not null
)
select order_id, iccid, null as state from known
 union all
select order_id, iccid, state from done;

-- name: order_reset(iccid text, lifetime bigint, actor text, why text) -> order_id bigint, iccid text, eid text, state text     zero rows: conflict
-- An administrator gives the user another chance: all counters at zero, the lifetime anew. A repetition
-- is a profile whose newest move was this one, with counters still at zero. An event at an SM-DS is
-- registered again. Conflict: nothing to reset, or never confirmed.
with was as (
    select p.iccid, o.id, o.eid, m.event, m.from_state, m.to_state, o.smds, o.matching_id
      from profile p
      join download_order o on o.id = p.order_id
      join profile_move m on m.event = 'reset' and m.from_state = p.state
     where p.iccid = $1 and o.pending and o.matching_id is not null
       for update of p, o
), renewed as (
    update download_order o
       set cc_attempts = 0, download_attempts = 0, error = null,
           expires_at = now() + $2 * interval '1 second'
      from was
     where o.id = was.id
), erased as ( -- one that came at the very moment of the error
    delete from binding b using was where was.from_state = 'error' and b.order_id = was.id
), moved as (
    update profile p
       set state = was.to_state, state_since = now(),
           event_seq = p.event_seq + 1 + (was.smds is not null)::integer
      from was
     where p.iccid = was.iccid
 returning p.iccid, p.type_id, p.event_seq - (was.smds is not null)::integer as event_seq,
           was.event, was.from_state, was.to_state, was.id, was.eid, was.smds, was.matching_id
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select t.operator_id, m.iccid, m.event_seq, 'profile.released',
           jsonb_strip_nulls(jsonb_build_object('iccid', m.iccid, 'eid', m.eid, 'orderId', m.id,
                                                'profileType', t.name, 'state', m.to_state,
                                                'reusable', nullif(d.reusable, false)))
      from moved m
      join profile_type t on t.id = m.type_id
      join download_order d on d.id = m.id
     union all
    select t.operator_id, m.iccid, m.event_seq + 1, 'es12.register',
           es12_event(m.smds, m.iccid, m.eid, m.matching_id, m.id)
      from moved m
      join profile_type t on t.id = m.type_id
     where m.smds is not null
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select $3, event, iccid, eid, id, from_state, to_state, $4 from moved
)
select id as order_id, iccid, eid, to_state as state from moved
 union all
select o.id, p.iccid, o.eid, p.state
  from profile p
  join download_order o on o.id = p.order_id
 where p.iccid = $1 and p.state = 'released' and not exists (select from moved)
   and o.cc_attempts = 0 and o.download_attempts = 0
   and (select act from audit
         where iccid = $1 and to_state is not null
         order by id desc
         limit 1) = 'reset';

-- name: order_expire(most integer, session_seconds bigint) -> expired bigint     zero rows: none
-- The lifetime of orders is over, some at a time. One whose session is running may still be finished.
-- lane: background
with due as (
    select p.iccid, o.id, o.eid, m.event, m.from_state, m.to_state, o.smds, o.matching_id,
           coalesce(o.eid, o.registering_eid) as event_eid, o.registering_at
      from download_order o
      join profile p on p.iccid = o.iccid and p.order_id = o.id
      join profile_move m on m.event = 'expire' and m.from_state = p.state
     where o.pending and o.expires_at <= now()
       and not exists (select from rsp_session s
                        where s.order_id = o.id and s.state = 'authenticated'
                          and s.created_at > now() - $2 * interval '1 second')
     order by o.expires_at
     limit $1
       for update of p, o skip locked
), ended as (
    update download_order o
       set error = 'ORDER_EXPIRED', registering_at = null,
           matching_id = case when o.registering_at is null then o.matching_id end,
           smds = case when o.registering_at is null then o.smds end
      from due
     where o.id = due.id
), erased as (
    delete from binding b using due where b.order_id = due.id
), moved as (
    update profile p
       set state = due.to_state, state_since = now(),
           event_seq = p.event_seq + 1 + (due.smds is not null)::integer
      from due
     where p.iccid = due.iccid
 returning p.iccid, p.type_id, p.event_seq - (due.smds is not null)::integer as event_seq,
           due.event, due.from_state, due.to_state, due.id, due.eid, due.smds, due.matching_id,
           due.event_eid, due.registering_at
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select t.operator_id, m.iccid, m.event_seq, 'profile.failed',
           jsonb_strip_nulls(jsonb_build_object('iccid', m.iccid, 'eid', m.eid, 'orderId', m.id,
                                                'profileType', t.name, 'state', m.to_state,
                                                'reusable', nullif(d.reusable, false),
                                                'refusal', 'ORDER_EXPIRED',
                                                'why', 'its lifetime is over'))
      from moved m
      join profile_type t on t.id = m.type_id
      join download_order d on d.id = m.id
     union all
    select t.operator_id, m.iccid, m.event_seq + 1, 'es12.delete',
           es12_event(m.smds, m.iccid, m.event_eid, m.matching_id, m.id, m.registering_at)
      from moved m
      join profile_type t on t.id = m.type_id
     where m.smds is not null
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select 'rspd', event, iccid, eid, id, from_state, to_state, 'its lifetime is over' from moved
)
select count(*) as expired from moved;

-- name: order_standing(iccid text, matching_id text) -> state text, operator_id bigint, order_id bigint, pending boolean, cancelled boolean, eid text, matching_id text, code_required boolean, package_out boolean, taken boolean     zero rows: none
-- Why a move was refused: whose the profile is, how it and the order that holds it stand, and whether another
-- pending order has this MatchingID. One that is only reserved is none.
select p.state, t.operator_id, o.id as order_id, coalesce(o.pending, false) as pending,
       coalesce(o.cancelled_at is not null, false) as cancelled,
       o.eid, case when o.registering_eid is null then o.matching_id end as matching_id,
       coalesce(o.cc_sha256 is not null, false) as code_required,
       coalesce(o.package_out, false) as package_out,
       exists (select from download_order x
                where x.matching_id = $2 and x.matching_id <> '' and x.pending
                  and not x.frozen and x.id is distinct from o.id) as taken
  from profile p
  join profile_type t on t.id = p.type_id
  left join download_order o on o.id = p.order_id
 where p.iccid = $1;

-- name: order_call_sweep(most integer) -> swept bigint     zero rows: none
-- Forgets calls whose time is over.
-- lane: background
-- writes
with over as (
    select client_id, key from operator_call where expires_at <= now() order by expires_at limit $1
), gone as (
    delete from operator_call c using over
     where c.client_id = over.client_id and c.key = over.key
 returning 1
)
select count(*) as swept from gone;

-- What administrators look at: rows as JSON objects in the form of the control socket's answers
-- (schemas/ctl/). Times are UTC. Secrets do not leave the database here; the MatchingID of an order
-- does, for it is what the administrator hands out.

-- name: view_profiles(type_name text, state text, after text, most integer, operator_name text) -> view jsonb     zero rows: none
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'iccid', p.iccid, 'operator', w.name, 'type', t.name, 'class', p.class,
           'state', p.state, 'since', utc(p.state_since), 'cardState', p.card_state,
           'cardEid', p.card_eid,
           'reusable', (select true from download_order o
                         where o.id = p.order_id and o.pending and o.reusable))) as view
  from profile p
  join profile_type t on t.id = p.type_id
  join operator w on w.id = t.operator_id
 where p.iccid > coalesce($3, '')
   and ($1 is null or t.name = $1)
   and ($5 is null or w.name = $5)
   and ($2 is null or p.state = $2)
 order by p.iccid
 limit $4;

-- name: view_profile(iccid text) -> view jsonb     zero rows: none
-- Of a profile made of a template, what its order's template says, or the newest: the first variant.
select jsonb_strip_nulls(jsonb_build_object(
           'iccid', p.iccid, 'operator', w.name, 'type', t.name, 'class', p.class,
           'state', p.state, 'since', utc(p.state_since), 'imsi', p.imsi,
           'orderId', case when o.pending then o.id end, 'eid', case when o.pending then o.eid end,
           'saipVersion', coalesce(p.saip_version, v.saip_version) / 256 || '.'
                          || coalesce(p.saip_version, v.saip_version) % 256,
           'services', coalesce(p.services, v.services),
           'octets', coalesce(p.upp_octets, v.upp_octets), 'events', p.event_seq,
           'metadata', encode(coalesce(p.metadata, v.metadata), 'hex'),
           'templateVersion', v.version, 'load', p.load_id,
           'cardState', p.card_state, 'cardEid', p.card_eid, 'cardSequence', p.card_seq,
           'cardSince', utc(p.card_since),
           'reusable', case when o.pending then nullif(o.reusable, false) end,
           'importedAt', utc(p.imported_at))) as view
  from profile p
  join profile_type t on t.id = p.type_id
  join operator w on w.id = t.operator_id
  left join download_order o on o.id = p.order_id
  left join template v
    on v.type_id = p.type_id and v.rank = 1 and p.personal is not null
   and v.version = coalesce(case when o.pending then o.template_version end, t.template_version)
 where p.iccid = $1;

-- name: view_types(operator_name text) -> view jsonb     zero rows: none
-- Stock is counted to ten million: by an index, but row for row.
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'name', t.name, 'operator', w.name, 'keys', t.keys, 'onDelete', t.on_delete,
           'createdAt', utc(t.created_at), 'class', t.class, 'version', t.template_version,
           'variants', (select nullif(count(*), 0)
                          from template v
                         where v.type_id = t.id and v.version = t.template_version),
           'lowWater', t.low_water,
           'low', case when t.low_water is not null then profile_stock(t.id, t.low_water) < t.low_water end,
           'stock', profile_stock(t.id, 10000000))) as view
  from profile_type t
  join operator w on w.id = t.operator_id
 where $1 is null or w.name = $1
 order by w.name, t.name;

-- name: view_type(name text, operator_name text) -> view jsonb     zero rows: none
-- A type with all its templates, the newest first, and its newest loads.
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'name', t.name, 'operator', w.name, 'keys', t.keys, 'onDelete', t.on_delete,
           'createdAt', utc(t.created_at), 'class', t.class, 'version', t.template_version,
           'imsiRange', t.imsi_low || '-' || t.imsi_high, 'sharedImsi', nullif(t.shared_imsi, false),
           'lowWater', t.low_water,
           'low', case when t.low_water is not null then profile_stock(t.id, t.low_water) < t.low_water end,
           'stock', profile_stock(t.id, 10000000),
           'templates', (select coalesce(jsonb_agg(jsonb_build_object(
                                    'version', v.version, 'variant', v.rank,
                                    'saipVersion', (v.saip_version / 256) || '.' || (v.saip_version % 256),
                                    'services', v.services, 'octets', v.upp_octets,
                                    'metadata', encode(v.metadata, 'hex'),
                                    'createdAt', utc(v.created_at)) order by v.version desc, v.rank), '[]')
                           from template v
                          where v.type_id = t.id),
           'loads', (select coalesce(jsonb_agg(jsonb_build_object(
                                'load', x.id, 'version', x.template_version, 'profiles', x.profiles,
                                'source', x.source, 'at', utc(x.loaded_at)) order by x.id desc), '[]')
                       from (select *
                               from profile_load l
                              where l.type_id = t.id
                              order by l.id desc
                              limit 20) x))) as view
  from profile_type t
  join operator w on w.id = t.operator_id
 where t.name = $1 and w.name = $2;

-- name: view_orders(state text, type_name text, eid text, before bigint, most integer, operator_name text, since timestamptz, until timestamptz, error text) -> view jsonb     zero rows: none
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'id', o.id, 'iccid', o.iccid, 'eid', o.eid, 'operator', w.name, 'type', t.name,
           'state', case when p.order_id = o.id and o.cancelled_at is null then p.state
                         when o.cancelled_at is not null then 'cancelled'
                         else 'superseded' end,
           'since', utc(p.state_since),
           'matchingId', case when o.registering_eid is null then o.matching_id end,
           'confirmationCode', o.cc_sha256 is not null, 'pending', o.pending,
           'reusable', nullif(o.reusable, false), 'error', o.error,
           'createdAt', utc(o.created_at),
           'expiresAt', utc(o.expires_at))) as view
  from download_order o
  join profile p on p.iccid = o.iccid
  join profile_type t on t.id = p.type_id
  join operator w on w.id = t.operator_id
 where o.id < coalesce($4, 9223372036854775807)
   and ($1 is null or (p.state = $1 and p.order_id = o.id and o.cancelled_at is null))
   and ($2 is null or t.name = $2)
   and ($3 is null or o.eid = $3)
   and ($6 is null or w.name = $6)
   and ($7 is null or o.created_at >= $7) and ($8 is null or o.created_at < $8)
   and ($9 is null or o.error = $9 or ($9 = 'any' and o.error is not null))
 order by o.id desc
 limit $5;

-- name: view_order(iccid text, order_id bigint, download_attempts integer, code_attempts integer) -> view jsonb     zero rows: none
-- The order of this number, else the one that holds the profile, or held it last: who has it since when by
-- which call, what is left of its budgets, its newest sessions, and the profile's state and whole history.
-- A MatchingID that is only reserved is not shown. With the profile's frozen orders beside it, which an alert may
-- have told of, and with the order that holds the profile when it is another.
select jsonb_strip_nulls(jsonb_build_object(
           'id', o.id, 'iccid', p.iccid, 'operator', w.name, 'type', t.name,
           'state', p.state, 'since', utc(p.state_since), 'pending', o.pending,
           'reusable', nullif(o.reusable, false),
           'eid', o.eid, 'linkedAt', utc(o.linked_at), 'linkedBy', o.linked_by,
           'matchingId', case when o.registering_eid is null then o.matching_id end,
           'smds', o.smds, 'registeringAt', utc(o.registering_at),
           'confirmationCode', o.cc_sha256 is not null, 'downloadAttempts', o.download_attempts,
           'downloadAttemptsLeft', case when not o.reusable then greatest($3 - o.download_attempts, 0) end,
           'confirmationCodeAttempts', o.cc_attempts,
           'confirmationCodeAttemptsLeft',
           case when o.cc_sha256 is not null then greatest($4 - o.cc_attempts, 0) end,
           'packageOut', o.package_out, 'frozen', o.frozen, 'error', o.error,
           'heldBy', nullif(p.order_id, o.id),
           'frozenOrders',
           (select jsonb_agg(f.id order by f.id)
              from download_order f
             where f.iccid = o.iccid and f.frozen and f.pending and f.id <> o.id),
           'createdAt', utc(o.created_at),
           'expiresAt', utc(o.expires_at),
           'cancelledAt', utc(o.cancelled_at),
           'cardState', p.card_state, 'cardEid', p.card_eid,
           'cardSince', utc(p.card_since)))
       || jsonb_build_object(
           'sessions',
           (select coalesce(jsonb_agg(x.session order by x.created_at), '[]')
              from (select jsonb_strip_nulls(jsonb_build_object(
                               'transactionId', upper(encode(s.transaction_id, 'hex')),
                               'eid', s.eid, 'state', s.state, 'refusal', s.refusal, 'why', s.refusal_why,
                               'result', s.result, 'tac', s.tac, 'peer', s.peer,
                               'at', utc(s.created_at))) as session,
                           s.created_at
                      from rsp_session s
                     where s.order_id = o.id
                     order by s.created_at desc
                     limit 20) x),
           'history',
           (select coalesce(jsonb_agg(x.entry order by x.id), '[]')
              from (select jsonb_strip_nulls(jsonb_build_object(
                               'at', utc(a.at), 'actor', a.actor, 'act', a.act,
                               'eid', a.eid, 'orderId', a.order_id, 'from', a.from_state,
                               'to', a.to_state, 'why', nullif(a.why, ''))) as entry,
                           a.id
                      from audit a
                     where a.iccid = p.iccid
                     order by a.id desc
                     limit 100) x)) as view
  from download_order o
  join profile p on p.iccid = o.iccid
  join profile_type t on t.id = p.type_id
  join operator w on w.id = t.operator_id
 where o.id = coalesce($2, (select order_id from profile where iccid = $1))
   and ($1 is null or o.iccid = $1);

-- name: view_sessions(eid text, iccid text, most integer, operator_name text) -> view jsonb     zero rows: none
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'transactionId', upper(encode(s.transaction_id, 'hex')), 'eid', s.eid,
           'iccid', s.iccid, 'orderId', s.order_id, 'state', s.state, 'refusal', s.refusal, 'why', s.refusal_why,
           'result', s.result, 'tac', s.tac, 'imei', s.imei, 'peer', s.peer,
           'at', utc(s.created_at),
           'reusable', (select true from download_order o where o.id = s.order_id and o.reusable))) as view
  from rsp_session s
 where ($1 is null or s.eid = $1)
   and ($2 is null or s.order_id in (select id from download_order where iccid = $2))
   and ($4 is null or (select w.name
                         from profile p
                         join profile_type t on t.id = p.type_id
                         join operator w on w.id = t.operator_id
                        where p.iccid = s.iccid) = $4)
 order by s.created_at desc
 limit $3;

-- name: view_events(iccid text, eid text, most integer, operator_name text) -> view jsonb     zero rows: none
-- The newest of all, of one profile, or of those that name an eUICC: the trail knows its profiles; of one
-- operator only, or of all. One
-- branch for each, so that each goes by its index whatever else is in the outbox.
-- lane: background
with owner as (
    select id from operator where name = $4
), newest as (
    (select e.*
       from outbox e
      where $1 is null and $2 is null
        and ($4 is null or e.operator_id = (select id from owner))
      order by e.id desc
      limit $3)
     union all
    (select e.*
       from outbox e
      where e.order_key = $1 and ($2 is null or e.data ->> 'eid' = $2)
        and ($4 is null or e.operator_id = (select id from owner))
      order by e.seq desc
      limit $3)
     union all
    (select e.*
       from (select $2 as order_key
              union
             select a.iccid from audit a where a.eid = $2) known
       join outbox e on e.order_key = known.order_key
      where $1 is null and (e.order_key = $2 or e.data ->> 'eid' = $2)
        and ($4 is null or e.operator_id = (select id from owner))
      order by e.id desc
      limit $3)
)
select jsonb_strip_nulls(jsonb_build_object(
           'id', n.event_id, 'operator', w.name, 'key', n.order_key, 'seq', n.seq, 'type', n.type,
           'at', utc(n.at))) || jsonb_build_object('data', n.data) as view
  from newest n
  left join operator w on w.id = n.operator_id
 order by n.id;

-- name: view_audit(iccid text, eid text, before bigint, most integer) -> view jsonb     zero rows: none
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'id', a.id, 'at', utc(a.at), 'actor', a.actor, 'act', a.act,
           'iccid', a.iccid, 'eid', a.eid, 'orderId', a.order_id, 'from', a.from_state,
           'to', a.to_state, 'why', nullif(a.why, ''), 'seal', a.seal_id)) as view
  from audit a
 where a.id < coalesce($3, 9223372036854775807)
   and ($1 is null or a.iccid = $1)
   and ($2 is null or a.eid = $2)
 order by a.id desc
 limit $4;

-- name: view_code(iccid text) -> state text, matching_id text, code_required boolean, pending boolean, order_id bigint, eid text, reusable boolean     zero rows: none
-- A MatchingID that is only reserved is none.
select p.state, case when o.registering_eid is null then o.matching_id end as matching_id,
       coalesce(o.cc_sha256 is not null, false) as code_required,
       coalesce(o.pending, false) as pending, o.id as order_id, o.eid,
       coalesce(o.reusable, false) as reusable
  from profile p
  left join download_order o on o.id = p.order_id
 where p.iccid = $1;

-- name: view_operators(operator_name text) -> view jsonb     zero rows: none
-- lane: background
select jsonb_strip_nulls(jsonb_build_object(
           'name', w.name, 'requester', w.requester_identifier,
           'expired', case when w.expired_certificates then 'accept' else 'refuse' end,
           'calls', case when w.remember_calls then 'remember' else 'forget' end,
           'testCi', case when w.test_ci then 'accept' else 'refuse' end,
           'clients', (select count(*) from operator_client c where c.operator_id = w.id),
           'types', (select count(*) from profile_type t where t.operator_id = w.id),
           'createdAt', utc(w.created_at))) as view
  from operator w
 where $1 is null or w.name = $1
 order by w.name;

-- name: view_operator_clients(operator_name text) -> view jsonb     zero rows: none
-- lane: background
select jsonb_build_object(
           'client', c.id, 'operator', w.name, 'kind', c.kind,
           'sha256', upper(encode(c.sha256, 'hex')), 'subject', c.subject,
           'expiresAt', utc(c.not_after), 'addedAt', utc(c.added_at)) as view
  from operator_client c
  join operator w on w.id = c.operator_id
 where $1 is null or w.name = $1
 order by w.name, c.id;

-- name: view_codes(type_name text, state text, operator_name text, iccids text[], before bigint, most integer) -> order_id bigint, iccid text, type_name text, state text, eid text, matching_id text, code_required boolean, reusable boolean     zero rows: none
-- Orders that have an activation code, newest first; of the profiles that are named, when some are.
-- lane: background
with named as (
    select o.id, o.iccid, o.eid, o.matching_id, o.cc_sha256, o.reusable, p.state, p.type_id
      from unnest($4) as n(iccid)
      join profile p on p.iccid = n.iccid
      join download_order o on o.id = p.order_id
     where o.pending and o.matching_id is not null and o.registering_eid is null
), every as (
    select o.id, o.iccid, o.eid, o.matching_id, o.cc_sha256, o.reusable, p.state, p.type_id
      from download_order o
      join lateral (select p.state, p.type_id
                      from profile p
                     where p.iccid = o.iccid and p.order_id = o.id
                    offset 0) p on true          -- from the newest order down, not along all profiles
     where cardinality($4) = 0 and o.pending and o.matching_id is not null and o.registering_eid is null
       and o.id < coalesce($5, 9223372036854775807)
       and ($2 is null or p.state = $2)
       and p.type_id in (select t.id
                           from profile_type t
                           join operator w on w.id = t.operator_id
                          where ($1 is null or t.name = $1) and ($3 is null or w.name = $3))
     order by o.id desc
     limit $6
)
select x.id as order_id, x.iccid, t.name as type_name, x.state, x.eid, x.matching_id,
       x.cc_sha256 is not null as code_required, x.reusable
  from (select * from named union all select * from every) x
  join profile_type t on t.id = x.type_id
  join operator w on w.id = t.operator_id
 where x.id < coalesce($5, 9223372036854775807)
   and ($1 is null or t.name = $1) and ($2 is null or x.state = $2) and ($3 is null or w.name = $3)
 order by x.id desc
 limit $6;

-- name: view_history(iccid text, most integer) -> view jsonb     zero rows: none
-- All that is known to have happened with one profile, from the newest `most`, the oldest first: sessions of
-- eUICCs with what the device told, refused calls of whomever, notifications, moves and acts, and what was
-- told to others of it, or is still to be told.
-- lane: background
with sessions as (
    select s.created_at as at,
           jsonb_build_object(
               'what', 'session', 'eid', s.eid, 'orderId', s.order_id,
               'transactionId', upper(encode(s.transaction_id, 'hex')), 'state', s.state,
               'refusal', s.refusal, 'result', s.result, 'tac', s.tac, 'imei', s.imei, 'peer', s.peer,
               'why', s.refusal_why) as entry
      from download_order o
      join rsp_session s on s.order_id = o.id
     where o.iccid = $1
), refused as (
    select r.last_at as at,
           jsonb_build_object(
               'what', 'refused', 'call', r.function, 'refusal', r.refusal, 'eid', nullif(r.eid, ''),
               'actor', nullif(r.caller, 'es9+'),
               'transactionId', upper(encode(r.transaction_id, 'hex')), 'tac', r.tac, 'imei', r.imei,
               'peer', r.peer, 'why', nullif(r.why, ''),
               'times', nullif(r.times, 1), 'since', case when r.times > 1 then utc(r.first_at) end) as entry
      from refused_call r
     where r.iccid = $1
), heard as (
    select n.received_at as at,
           jsonb_build_object('what', 'notification', 'eid', n.eid, 'operation', n.operation,
                              'sequence', n.seq_number, 'address', nullif(n.address, '')) as entry
      from notification n
     where n.iccid = $1
), acts as (
    select a.at,
           jsonb_build_object('what', case when a.to_state is null then 'act' else 'move' end,
                              'actor', a.actor, 'act', a.act, 'eid', a.eid, 'orderId', a.order_id,
                              'from', a.from_state, 'to', a.to_state,
                              'why', nullif(a.why, '')) as entry
      from audit a
     where a.iccid = $1
), told as (
    select coalesce(d.tried_at, e.at) as at,
           jsonb_build_object('what', 'delivery',
                              'call', case e.type when 'es2.progress' then 'HandleDownloadProgressInfo'
                                                  when 'es12.register' then 'RegisterEvent'
                                                  else 'DeleteEvent' end,
                              'point', e.data -> 'notificationPointId', 'eid', e.data ->> 'eid',
                              'orderId', e.data -> 'orderId', 'subscriber', coalesce(s.name, e.data ->> 'smds'),
                              'state', d.state,
                              'attempts', d.attempts, 'status', d.status, 'why', d.error) as entry
      from outbox e
      left join delivery d on d.outbox_id = e.id
      left join subscriber s on s.id = d.subscriber_id
     where e.order_key = $1 and e.type in ('es2.progress', 'es12.register', 'es12.delete')
), newest as (
    select at, entry
      from (select * from sessions union all select * from refused union all select * from heard
             union all select * from acts union all select * from told) x
     order by at desc
     limit $2
)
select jsonb_strip_nulls(jsonb_build_object('at', utc(at)) || entry) as view
  from newest
 order by at;

-- name: view_keys() -> view jsonb     zero rows: none
-- The cluster keys by their id in transaction ids: how many sessions whose package went out still await
-- its result. A binding is kept exactly as long.
-- lane: background
select jsonb_build_object('keyId', upper(encode(substring(s.transaction_id for 1), 'hex')),
                          'use', 'missing', 'awaited', count(*),
                          'newest', utc(max(s.created_at))) as view
  from binding b
  join lateral (select s.transaction_id, s.created_at
                  from rsp_session s
                 where s.order_id = b.order_id and s.bpp_sign is not null and s.result is null
                offset 0) s on true              -- by the few bindings, not along all sessions
 group by substring(s.transaction_id for 1)
 order by max(s.created_at) desc;

-- The eIM's queue (SGP.32 §3.3; RULES 5): what goes out to an eUICC, what comes back, what is believed then.
-- Each move locks the row of euicc first and decides by it: what another transaction changed while we waited
-- for that row shows there, and nowhere else. Events take their numbers from eid_events.

-- name: eim_poll(eids text[]) -> eid text, waiting boolean, stale boolean     zero rows: none
-- A batch of GetEimPackage: for which of these eUICCs there may be something to hand out, and of which it is to be
-- noted that they were seen. An EID that is not among the rows is unknown.
select u.eid,
       u.closed_at is null
       and (u.outstanding is not null
            or exists (select from eim_package p
                        where p.eid = u.eid and p.state in ('waiting', 'out')
                          and coalesce(p.not_before <= now(), true))) as waiting,
       coalesce(u.last_seen < now() - interval '1 minute', true)      as stale
  from (select distinct eid from unnest($1) as e(eid)) a
  join euicc u on u.eid = a.eid;

-- name: eim_seen(eids text[]) -> seen bigint     zero rows: none
-- They were seen: written at most once a minute each, told at most once an hour.
with stale as (
    select u.eid, u.operator_id,
           coalesce(u.told_seen_at < now() - interval '1 hour', true) as tell
      from (select distinct eid from unnest($1) as e(eid)) a
      join euicc u on u.eid = a.eid
     where coalesce(u.last_seen < now() - interval '1 minute', true)
     order by u.eid
       for update of u skip locked
), seen as (
    update euicc u
       set last_seen = now(), told_seen_at = case when s.tell then now() else u.told_seen_at end
      from stale s
     where u.eid = s.eid
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, eid, eid_events(eid, 1), 'euicc.seen',
           jsonb_build_object('eid', eid, 'at', utc(now()))
      from stale
     where tell
)
select count(*) as seen from stale;

-- name: eim_head(eid text, interval_seconds integer) -> counter bigint, token bigint, candidate bigint, candidate_state text, learnt boolean, proven boolean, iot_version integer, package_id bigint, kind text, what text, state text, body bytea, octets bytea, times_out integer, intervals integer, due boolean, own boolean     zero rows: none
-- What is out to this eUICC, or else what comes next: by priority, then by age; behind a barrier only data
-- requests. Proven: its key is known. Due: another interval of its budget has passed. Own: we want it ourselves. No
-- package_id: there is nothing.
select u.counter, u.token, u.candidate, u.candidate_state, u.learnt_at is not null as learnt,
       u.point is not null or exists (select from rsp_session s where s.eid = u.eid) as proven,
       coalesce(u.iot_version, -1) as iot_version,
       p.id                     as package_id,
       p.kind, p.what, p.state, p.body, p.octets,
       coalesce(p.times_out, 0) as times_out,
       coalesce(p.intervals, 0) as intervals,
       coalesce(p.counted_at <= now() - $2 * interval '1 second', false) as due,
       coalesce(p.asked_by = 'rspd', false) as own
  from euicc u
  left join lateral (
       (select x.* from eim_package x where x.id = u.outstanding)
        union all
       (select x.*
          from eim_package x
         where x.eid = u.eid and x.state = 'waiting' and u.outstanding is null
           and (u.barrier is null or x.kind = 'data')
           and coalesce(x.not_before <= now(), true)
           and coalesce(x.deadline > now(), true)
         order by x.priority desc, x.id
         limit 1)
       ) p on true
 where u.eid = $1 and u.closed_at is null;

-- name: eim_want(eid text, kind text, what text, body bytea, priority smallint, why text) -> package_id bigint     zero rows: none
-- Something that we want ourselves. None: the same is under way, or (data) was answered within a minute; or the
-- eUICC is unknown.
with was as (
    select eid from euicc where eid = $1 and closed_at is null for update
)
insert into eim_package (eid, kind, what, body, priority, asked_by, why)
select eid, $2, $3, $4, $5, 'rspd', $6
  from was
 where $2 <> 'data'
    or not exists (select from eim_package p
                    where p.eid = $1 and p.what = $3 and p.asked_by = 'rspd' and p.state in ('done', 'failed')
                      and p.state_since > now() - interval '1 minute')
    on conflict do nothing
returning id as package_id;

-- name: eim_hand_out(eid text, package_id bigint, counter bigint, token bigint, tried boolean, eim_transaction_id bytea, octets bytea) -> package_id bigint     zero rows: conflict
-- The first time that something goes out (RULES 5.1): with its counter and signature, on condition that nothing
-- else is out. Counter absent: it is no eUICC package. Tried: it is signed with the candidate for a token.
with was as (
    select eid
      from euicc
     where eid = $1 and outstanding is null and closed_at is null
       and ($3 is null or counter = $3 - 1)
       for update
), moved as (
    update eim_package p
       set state = 'out', state_since = now(), counter = $3, token = $4, eim_transaction_id = $6,
           octets = $7, out_at = now(), counted_at = now(), times_out = 1, intervals = 1
      from was
     where p.id = $2 and p.eid = was.eid and p.state = 'waiting'
 returning p.id, p.barrier
), taken as (
    update euicc u
       set outstanding = moved.id,
           counter = coalesce($3, u.counter),
           barrier = case when moved.barrier then moved.id else u.barrier end,
           candidate_state = case when $5 then 'tried' else u.candidate_state end
      from moved
     where u.eid = $1
)
select id as package_id from moved
 union all
select id from eim_package where eim_transaction_id = $6 and id = $2;

-- name: eim_hand_out_again(package_id bigint, interval_seconds integer) -> octets bytea     zero rows: conflict
-- The same octets once more; the budget counts intervals, not polls (RULES 5.2). A repetition counts once more, for
-- more than once is all that is asked (RULES 5.3). Conflict: it is not out.
update eim_package
   set times_out = times_out + 1,
       intervals = intervals + (counted_at <= now() - $2 * interval '1 second')::integer,
       counted_at = case when counted_at <= now() - $2 * interval '1 second' then now() else counted_at end
 where id = $1 and state = 'out'
returning octets;

-- name: eim_step_aside(eid text, package_id bigint, results bytea) -> state text     zero rows: conflict
-- The budget is spent (RULES 5.2): what became of a package or a download is unknown, and stored results are
-- asked for; a data request has failed. Whoever never says what he can is taken as he is. A candidate for the token
-- that nobody has judged is tried again.
with was as (
    select eid, operator_id from euicc where eid = $1 and outstanding = $2 for update
), moved as (
    update eim_package p
       set state = case p.kind when 'data' then 'failed' else 'unknown' end, state_since = now(),
           meaning = jsonb_build_object('error', 'no-answer')
      from was
     where p.id = $2 and p.state = 'out'
 returning p.id, p.eid, p.kind, p.what, p.state, p.asked_by, p.token, was.operator_id
), freed as (
    update euicc u
       set outstanding = null,
           candidate_state = case when moved.kind = 'package' and u.candidate_state = 'tried'
                                   and u.candidate is not distinct from moved.token
                                  then 'fresh' else u.candidate_state end,
           learnt_at = case when moved.kind = 'data' and moved.what = 'facts'
                            then coalesce(u.learnt_at, now()) else u.learnt_at end
      from moved
     where u.eid = moved.eid
), wanted as (
    insert into eim_package (eid, kind, what, body, priority, asked_by, why)
    select eid, 'data', 'results', $3, 32767, 'rspd', 'package ' || id || ' was not answered'
      from moved
     where kind = 'package'
        on conflict do nothing
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, eid, eid_events(eid, 1), 'package.' || state,
           jsonb_build_object('eid', eid, 'packageId', id, 'kind', kind, 'what', what, 'askedBy', asked_by,
                              'result', jsonb_build_object('error', 'no-answer'))
      from moved
)
select state from moved;

-- name: eim_unsigned_error(eid text, package_id bigint, token bigint, has_token boolean, results bytea, profiles bytea) -> fresh boolean     zero rows: conflict
-- An unsigned error (§2.11.2.1): it moves nothing but what is handed out next. The package steps aside, its stored
-- result is asked for; a token that is named and was not used is tried once, with a harmless package (RULES 5.4).
with was as (
    select u.eid, u.operator_id,
           $4 and p.token is distinct from $3 and u.token is distinct from $3
           and (u.candidate_state is null or u.candidate is distinct from $3) as fresh
      from euicc u
      join eim_package p on p.id = u.outstanding
     where u.eid = $1 and u.outstanding = $2
       for update of u
), moved as (
    update eim_package p
       set state = 'unknown', state_since = now(), meaning = jsonb_build_object('error', 'refused-unsigned')
      from was
     where p.id = $2 and p.state = 'out' and p.kind = 'package'
 returning p.id, p.eid, p.kind, p.what, p.asked_by, was.operator_id, was.fresh
), freed as (
    update euicc u
       set outstanding = null,
           candidate = case when moved.fresh then $3 else u.candidate end,
           candidate_state = case when moved.fresh then 'fresh' else u.candidate_state end
      from moved
     where u.eid = moved.eid
), wanted as (
    insert into eim_package (eid, kind, what, body, priority, asked_by, why)
    select eid, 'data', 'results', $5, 32767, 'rspd', 'package ' || id || ' was refused unsigned'
      from moved
     union all
    select eid, 'package', 'list-profiles', $6, 32766, 'rspd', 'tries the token that the eUICC named'
      from moved
     where fresh
        on conflict do nothing
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, eid, eid_events(eid, 1), 'package.unknown',
           jsonb_build_object('eid', eid, 'packageId', id, 'kind', kind, 'what', what, 'askedBy', asked_by,
                              'result', jsonb_build_object('error', 'refused-unsigned'))
      from moved
)
select fresh from moved;

-- name: eim_state_changed(eid text, cause smallint, profiles bytea, notifications bytea) -> wanted boolean     zero rows: none
-- A stateChangeCause, which anybody can claim (RULES 5.5): what the eUICC signs is asked for, at most once a
-- minute for the same cause. None: too soon.
with was as (
    select eid
      from euicc
     where eid = $1 and closed_at is null
       and (last_cause is distinct from $2 or coalesce(last_cause_at < now() - interval '1 minute', true))
       for update
), heard as (
    update euicc u set last_cause = $2, last_cause_at = now() from was where u.eid = was.eid
 returning u.eid
), wanted as (
    insert into eim_package (eid, kind, what, body, priority, asked_by, why)
    select heard.eid, x.kind, x.what, x.body, 32766, 'rspd', 'stateChangeCause ' || $2
      from heard, (values ('package', 'list-profiles', $3), ('data', 'notifications', $4)) as x(kind, what, body)
        on conflict do nothing
 returning 1
)
select exists (select from wanted) as wanted from heard;

-- name: eim_result_find(eid text, eim_transaction_id bytea, counter bigint) -> eid text, iot_version integer, curve smallint, point bytea, token bigint, token_standing text, candidate bigint, candidate_state text, signature_form text, package_id bigint, kind text, what text, state text, body bytea, octets bytea, package_counter bigint, package_token bigint, times_out integer, farewell boolean, sequence bigint, rolled_back boolean     zero rows: none
-- Whose result this is (RULES 5.6): of the package with this eimTransactionId, of the eUICC with this EID when one
-- is given; else of this eUICC's package with this counter, or what is out to it. No package_id: of none. The key
-- is the eUICC's, or the one with which it last proved itself to the SM-DP+ of this house.
with found as (
    (select p.id, p.eid, 1 as rank
       from eim_package p
      where p.eim_transaction_id = $2 and p.eid = coalesce($1, p.eid))
     union all
    (select p.id, p.eid, 2
       from eim_package p
      where p.eid = $1 and p.counter = $3)
     union all
    (select u.outstanding, u.eid, case when $2 is null and $3 is null then 3 else 5 end
       from euicc u
      where u.eid = $1)
), best as (
    select case when rank < 5 then id end as id, eid from found order by rank limit 1
)
select u.eid,
       coalesce(u.iot_version, -1)                   as iot_version,
       coalesce(u.curve, s.euicc_curve, 0::smallint) as curve,
       coalesce(u.point, s.euicc_point)              as point,
       u.token, u.token_standing, u.candidate, u.candidate_state, u.signature_form,
       p.id                         as package_id,
       p.kind, p.what, p.state, p.body, p.octets,
       p.counter                    as package_counter,
       p.token                      as package_token,
       coalesce(p.times_out, 0)     as times_out,
       coalesce(p.farewell, false)  as farewell,
       p.sequence,
       coalesce(p.rolled_back, false) as rolled_back
  from best b
  join euicc u on u.eid = b.eid
  left join eim_package p on p.id = b.id
  left join lateral (
       select euicc_curve, euicc_point
         from rsp_session
        where eid = u.eid and u.point is null
        order by created_at desc
        limit 1) s on true;

-- name: eim_result_record(eid text, package_id bigint, outcome text, result bytea, meaning jsonb, sequence bigint, form text, token bigint, profiles jsonb, complete boolean, unset_fallback boolean, eims jsonb, rollback boolean, farewell boolean, again_seconds integer, fence integer, want_profiles bytea, want_results bytea, evidence text) -> package_id bigint, state text     zero rows: conflict
-- The answer to what was handed out, verified where it can be: the package's end, and what is believed of the
-- eUICC since. Form: how its signature was made, with this token (both are kept); absent: it bears none. Profiles:
-- what changed, or (complete) all that there are. Rollback: of a package that was answered, or was not; the
-- profile from before is enabled again (RULES 5.7). Farewell: the eUICC has forgotten us. Again: the same is
-- wanted once more. Fence: how far the counter is lifted. Conflict: the package is not waiting for this answer.
with was as (
    select u.eid, u.operator_id, u.enabled, u.listed_at, u.barrier, u.last_cause, u.last_cause_at,
           p.id, p.kind, p.what, p.body, p.priority, p.barrier as is_barrier, p.farewell as is_farewell,
           p.asked_by, p.state as from_state, p.former, p.deadline
      from euicc u
      join eim_package p on p.eid = u.eid
     where u.eid = $1 and p.id = $2
       and case when $13 then p.state in ('out', 'unknown', 'done', 'failed') and not p.rolled_back
                when $3 = 'unknown' then p.state = 'out'
                else p.state in ('out', 'unknown') end
       for update of u, p
), answered as ( -- a first result was taken: this one supersedes it
    select $13 and from_state in ('done', 'failed') as before from was
), said as ( -- in the order of the commands: the last word on a profile counts
    select x.*
      from rows from (jsonb_to_recordset($9) as (iccid text, state text, fallback boolean, class text, name text,
                                                 provider text))
           with ordinality as x(iccid, state, fallback, class, name, provider, n)
     union all
    select was.former, 'enabled', null, null, null, null, 0
      from was, answered
     where answered.before and was.former is not null
), changes as materialized (
    select iccid, (array_agg(state order by n desc) filter (where state is not null))[1] as state,
           bool_or(fallback) as fallback, max(class) as class, max(name) as name, max(provider) as provider
      from said, was
     group by iccid
), switch as (
    select coalesce((select min(iccid) from changes where state = 'enabled'),
                    case when $10 or was.enabled in (select iccid from changes where state <> 'enabled')
                         then null else was.enabled end) as enabled
      from was
), facts as (
    select was.*, switch.enabled as now_enabled, answered.before,
           switch.enabled is distinct from was.enabled
           and (was.listed_at is not null or was.enabled is not null or $19 <> 'list') as switched,
           case when answered.before then 'rollback'
                when $19 <> 'list' then 'package'
                when was.last_cause_at is null or was.last_cause_at < was.listed_at then 'unknown'
                else (array['other-eim', 'fallback', 'emergency', 'local', 'reset', 'immediate',
                            'device-change'])[was.last_cause + 1] end as cause
      from was, switch, answered
), believed as (
    insert into euicc_profile as b (eid, iccid, state, fallback, class, name, provider, evidence, package_id)
    select f.eid, c.iccid, c.state, coalesce(c.fallback, false), c.class, c.name, c.provider,
           case when f.before then 'rollback' else $19 end, f.id
      from facts f, changes c
     where c.state is not null
        on conflict (eid, iccid) do update
       set state = excluded.state,
           since = case when b.state = excluded.state then b.since else now() end,
           fallback = case when $10 or excluded.fallback then excluded.fallback else b.fallback end,
           class = coalesce(excluded.class, b.class),
           name = coalesce(excluded.name, b.name),
           provider = coalesce(excluded.provider, b.provider),
           evidence = excluded.evidence, evidence_at = now(), package_id = excluded.package_id
), others as (
    update euicc_profile b
       set state = x.state,
           since = case when b.state = x.state then b.since else now() end,
           fallback = x.fallback,
           evidence = case when f.before then 'rollback' else $19 end,
           evidence_at = now(), package_id = f.id
      from facts f
     cross join lateral (
           select p.iccid,
                  case when $10 then 'deleted'
                       when p.state = 'enabled' and f.now_enabled is distinct from p.iccid then 'disabled'
                       else p.state end as state,
                  case when c.fallback then true
                       when $11 or exists (select from changes d where d.fallback)
                       then false else p.fallback end as fallback
             from euicc_profile p
             left join changes c on c.iccid = p.iccid
            where p.eid = f.eid and c.state is null) x
     where b.eid = f.eid and b.iccid = x.iccid
       and (b.state, b.fallback) is distinct from (x.state, x.fallback)
), forgotten as (
    delete from euicc_eim e
     using facts f
     where e.eid = f.eid and $12 is not null
       and e.eim_id not in (select x.id from jsonb_to_recordset($12) as x(id text))
), associated as (
    insert into euicc_eim as e (eid, eim_id, id_type, package_id)
    select f.eid, x.id, x.type, f.id
      from facts f, jsonb_to_recordset($12) as x(id text, type smallint)
        on conflict (eid, eim_id) do update
       set id_type = excluded.id_type, evidence_at = now(), package_id = excluded.package_id
), ended as (
    update eim_package p
       set state = $3, state_since = now(), result = $4, meaning = $5, sequence = $6,
           former = case when f.before then f.former else f.enabled end,
           rolled_back = p.rolled_back or $13
      from facts f
     where p.id = f.id
 returning p.id, p.state
), dropped as (
    update eim_package p
       set state = 'cancelled', state_since = now(),
           meaning = jsonb_build_object('error', 'no-longer-associated')
      from facts f
     where $14 and p.eid = f.eid and p.state = 'waiting'
 returning p.id, p.kind, p.what, p.asked_by
), kept as (
    update euicc u
       set outstanding = case when u.outstanding = f.id then null else u.outstanding end,
           barrier = case when u.barrier = f.id and $3 <> 'unknown' then null else u.barrier end,
           enabled = f.now_enabled,
           listed_at = case when $10 then now() else u.listed_at end,
           learnt_at = case when f.kind = 'data' and f.what = 'facts' and $15 is null
                            then coalesce(u.learnt_at, now()) else u.learnt_at end,
           closed_at = case when $14 then now() else u.closed_at end,
           counter = u.counter + coalesce($16, 0),
           signature_form = coalesce($7, u.signature_form),
           token = case when $7 is null then u.token else $8 end,
           token_standing = case when $7 is null then u.token_standing else 'kept' end,
           candidate = case when $7 is null then u.candidate end,
           candidate_state = case when $7 is null then u.candidate_state end
      from facts f
     where u.eid = f.eid
), again as (
    insert into eim_package (eid, kind, what, body, priority, deadline, barrier, farewell, not_before,
                             asked_by, why, retry_of)
    select eid, kind, what, body, priority, deadline, is_barrier, is_farewell,
           now() + $15 * interval '1 second', asked_by, 'again, for package ' || id, id
      from facts
     where $15 is not null
        on conflict do nothing
), wanted as (
    insert into eim_package (eid, kind, what, body, priority, asked_by, why)
    select f.eid, x.kind, x.what, x.body, x.priority, 'rspd', 'after package ' || f.id
      from facts f, (values ('data', 'results', $18, 32767::smallint),
                            ('package', 'list-profiles', $17, 32766::smallint)) as x(kind, what, body, priority)
     where x.body is not null and not coalesce($14, false)
        on conflict do nothing
), told as materialized (
    select case when f.before then 'package.rolled-back' else 'package.' || $3 end as type, 0 as rank, f.id,
           jsonb_build_object('eid', f.eid, 'packageId', f.id, 'kind', f.kind, 'what', f.what,
                              'askedBy', f.asked_by, 'result', $5) as data
      from facts f
     union all
    select 'profile.switched', 1, f.id,
           jsonb_build_object('eid', f.eid, 'oldIccid', f.enabled, 'newIccid', f.now_enabled,
                              'cause', f.cause, 'packageId', f.id, 'learntAt', utc(now()),
                              'evidence', translate(encode($4, 'base64'), E'\n', ''))
      from facts f
     where f.switched
     union all
    select 'package.cancelled', 2, d.id,
           jsonb_build_object('eid', f.eid, 'packageId', d.id, 'kind', d.kind, 'what', d.what,
                              'askedBy', d.asked_by,
                              'result', jsonb_build_object('error', 'no-longer-associated'))
      from facts f, dropped d
), numbered as materialized (
    select eid_events(f.eid, (select count(*) from told)) - 1 as base from facts f
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select f.operator_id, f.eid, n.base + row_number() over (order by t.rank, t.id), t.type, t.data
      from facts f, numbered n, told t
)
select id as package_id, state from ended;

-- name: eim_notifications_keep(eid text, sha256s bytea[], addresses text[], octets bytea[]) -> kept bigint     zero rows: none
-- Notifications that came by the eIM, each once however often it comes.
with made as (
    insert into eim_notification (eid, sha256, address, octets)
    select $1, x.sha256, x.address, x.octets
      from unnest($2, $3, $4) as x(sha256, address, octets)
     order by x.sha256
        on conflict do nothing
 returning 1
)
select count(*) as kept from made;

-- name: eim_notifications_take(most integer, local_names text[], all_names boolean) -> id bigint, eid text, address text, octets bytea, attempts integer     zero rows: none
-- Notifications to forward now, each for a minute ours alone: those for an address of this house, or all.
-- lane: background
with due as (
    select id
      from eim_notification
     where state = 'waiting' and next_at <= now()
       and ($3 or rtrim(split_part(lower(address), ':', 1), '.') = any($2))
     order by next_at, id
     limit $1
       for update skip locked
)
update eim_notification n
   set next_at = now() + interval '1 minute', attempts = n.attempts + 1
  from due
 where n.id = due.id
returning n.id, n.eid, n.address, n.octets, n.attempts;

-- name: eim_notification_done(id bigint, state text, error text, wait_seconds integer) -> id bigint     zero rows: none
-- Forwarded, dead, or (waiting) to be tried again after so many seconds.
-- lane: background
update eim_notification
   set state = $2, error = $3, next_at = now() + $4 * interval '1 second'
 where id = $1 and state = 'waiting'
returning id;

-- name: eim_raw_keep(eid text, why text, octets bytea, sha256 bytea) -> id bigint     zero rows: none
-- A result that does not verify, kept for diagnosis: 16 different ones of an eUICC that we know. None: it is
-- unknown, or there are so many already. A repetition counts as the same result again.
with again as (
    update eim_raw_result r
       set times = r.times + 1, last_at = now(), why = $2
     where r.eid = $1 and r.sha256 = $4
 returning r.id
), made as (
    insert into eim_raw_result (eid, why, octets, sha256)
    select $1, $2, $3, $4
     where not exists (select from again)
       and exists (select from euicc u where u.eid = $1)
       and (select count(*) from (select from eim_raw_result r where r.eid = $1 limit 16) few) < 16
        on conflict do nothing
 returning id
)
select id from again
 union all
select id from made;

-- name: eim_bind_code(matching_id text, eid text) -> state text     zero rows: none
-- The order behind an activation code of ours goes to this eUICC and no other (RULES 5.8). State: bound, or
-- refused (another's, or not to be had any more). None: we have no such code.
with was as (
    select o.id, o.eid, o.pending and not o.frozen and o.cancelled_at is null as open, o.reusable
      from download_order o
     where o.matching_id = $1 and o.matching_id <> '' and o.cancelled_at is null
     order by o.pending desc, o.id desc
     limit 1
       for update
), linked as (
    update download_order o
       set eid = $2, linked_at = now(), linked_by = 'ProfileDownloadTrigger'
      from was
     where o.id = was.id and was.open and was.eid is null and not was.reusable
)
select case when open and (eid is null or eid = $2) then 'bound' else 'refused' end as state from was;

-- name: eim_expire(most integer) -> expired bigint     zero rows: none
-- What was to be handed out before a time that has passed.
-- lane: background
with late as (
    select p.id, p.eid, u.operator_id
      from eim_package p
      join euicc u on u.eid = p.eid
     where p.state = 'waiting' and p.deadline <= now()
     order by p.eid, p.id
     limit $1
       for update of p skip locked
), moved as (
    update eim_package p
       set state = 'expired', state_since = now()
      from late
     where p.id = late.id
 returning p.id, p.eid, p.kind, p.what, p.asked_by, late.operator_id
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, eid, eid_events(eid, 1), 'package.expired',
           jsonb_build_object('eid', eid, 'packageId', id, 'kind', kind, 'what', what, 'askedBy', asked_by,
                              'result', jsonb_build_object('error', 'deadline'))
      from (select * from moved order by eid, id) m
)
select count(*) as expired from moved;

-- name: eim_sweep(most integer) -> swept bigint     zero rows: none
-- Raw results and forwarded notifications serve nobody after 30 days.
-- lane: background
with old as (
    select id from eim_raw_result where last_at < now() - interval '30 days' order by last_at limit $1
), gone as (
    delete from eim_raw_result r using old where r.id = old.id returning 1
), told as (
    select id
      from eim_notification
     where state <> 'waiting' and received_at < now() - interval '30 days'
     order by received_at
     limit $1
), left_behind as (
    delete from eim_notification n using told where n.id = told.id returning 1
)
select (select count(*) from gone) + (select count(*) from left_behind) as swept;

-- name: eim_queue(eid text, kind text, what text, body bytea, priority smallint, deadline timestamptz, barrier boolean, farewell boolean, actor text, why text, operator_id bigint, nonce bytea) -> package_id bigint, closed boolean     zero rows: none
-- Somebody wants something of an eUICC. None: it is unknown, or another operator's. Closed: the eUICC does not
-- know us any more. The nonce tells a repetition of this very statement.
with was as (
    select eid, closed_at is not null as closed
      from euicc
     where eid = $1 and operator_id = coalesce($11, operator_id)
       for update
), made as (
    insert into eim_package (eid, kind, what, body, priority, deadline, barrier, farewell, asked_by, why,
                             nonce)
    select eid, $2, $3, $4, $5, $6, coalesce($7, false), coalesce($8, false), $9, $10, $12
      from was
     where not closed
        on conflict (nonce) where nonce is not null do nothing
 returning id, eid
), audited as (
    insert into audit (actor, act, eid, why)
    select $9, 'eim.queue', eid, 'package ' || id || ', ' || $3 || ' ' || $10 from made
)
select coalesce((select id from made), (select id from eim_package where nonce = $12)) as package_id, closed
  from was;

-- name: eim_cancel(package_id bigint, actor text, why text, operator_id bigint) -> state text     zero rows: none
-- What was never handed out is taken back (RULES 5.1). The state it has now: cancelled, or the one that does not
-- allow it. None: there is no such package.
with was as (
    select u.eid, u.operator_id, p.id
      from eim_package p
      join euicc u on u.eid = p.eid
     where p.id = $1 and u.operator_id = coalesce($4, u.operator_id)
       for update of u
), moved as (
    update eim_package p
       set state = 'cancelled', state_since = now()
      from was
     where p.id = was.id and p.state = 'waiting'
 returning p.id, p.eid, p.kind, p.what, p.asked_by, p.state, was.operator_id
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, eid, eid_events(eid, 1), 'package.cancelled',
           jsonb_build_object('eid', eid, 'packageId', id, 'kind', kind, 'what', what, 'askedBy', asked_by,
                              'result', jsonb_build_object('error', 'cancelled'))
      from moved
), audited as (
    insert into audit (actor, act, eid, why)
    select $2, 'eim.cancel', eid, 'package ' || id || ', ' || what || ' ' || $3 from moved
)
select coalesce((select state from moved), p.state) as state
  from was
  join eim_package p on p.id = was.id;

-- name: eim_close(package_id bigint, actor text, why text, operator_id bigint) -> state text     zero rows: none
-- An administrator gives up what is unknown (RULES 5.2). The state it has now: failed, or the one that does not
-- allow it. None: there is no such package.
with was as (
    select u.eid, u.operator_id, p.id
      from eim_package p
      join euicc u on u.eid = p.eid
     where p.id = $1 and u.operator_id = coalesce($4, u.operator_id)
       for update of u
), moved as (
    update eim_package p
       set state = 'failed', state_since = now(), meaning = jsonb_build_object('error', 'given-up')
      from was
     where p.id = was.id and p.state = 'unknown'
 returning p.id, p.eid, p.kind, p.what, p.asked_by, p.state, was.operator_id
), freed as (
    update euicc u
       set barrier = null
      from moved
     where u.eid = moved.eid and u.barrier = moved.id
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, eid, eid_events(eid, 1), 'package.failed',
           jsonb_build_object('eid', eid, 'packageId', id, 'kind', kind, 'what', what, 'askedBy', asked_by,
                              'result', jsonb_build_object('error', 'given-up'))
      from moved
), audited as (
    insert into audit (actor, act, eid, why)
    select $2, 'eim.close', eid, 'package ' || id || ', ' || what || ' ' || $3 from moved
)
select coalesce((select state from moved), p.state) as state
  from was
  join eim_package p on p.id = was.id;

-- name: eim_package_find(package_id bigint, operator_id bigint) -> package_id bigint, eid text, kind text, what text, state text, priority smallint, state_since timestamptz, asked_by text, asked_at timestamptz, why text, deadline timestamptz, counter bigint, eim_transaction_id bytea, out_at timestamptz, times_out integer, intervals integer, sequence bigint, meaning jsonb, rolled_back boolean, retried_by bigint     zero rows: none
-- One package, with what became of it; retried_by: the one that was made anew from it.
select p.id as package_id, p.eid, p.kind, p.what, p.state, p.priority, p.state_since, p.asked_by, p.asked_at,
       p.why, p.deadline, p.counter, p.eim_transaction_id, p.out_at, p.times_out, p.intervals, p.sequence,
       p.meaning, p.rolled_back,
       (select x.id from eim_package x where x.retry_of = p.id) as retried_by
  from eim_package p
  join euicc u on u.eid = p.eid
 where p.id = $1 and u.operator_id = coalesce($2, u.operator_id);

-- name: eim_packages(eid text, before bigint, most integer, operator_id bigint) -> package_id bigint, eid text, kind text, what text, state text, priority smallint, state_since timestamptz, asked_by text, asked_at timestamptz, why text, deadline timestamptz, counter bigint, eim_transaction_id bytea, out_at timestamptz, times_out integer, intervals integer, sequence bigint, meaning jsonb, rolled_back boolean, retried_by bigint     zero rows: none
-- What is and was wanted of an eUICC, newest first, from before that package on (absent: from the newest).
select p.id as package_id, p.eid, p.kind, p.what, p.state, p.priority, p.state_since, p.asked_by, p.asked_at,
       p.why, p.deadline, p.counter, p.eim_transaction_id, p.out_at, p.times_out, p.intervals, p.sequence,
       p.meaning, p.rolled_back,
       (select x.id from eim_package x where x.retry_of = p.id) as retried_by
  from eim_package p
  join euicc u on u.eid = p.eid
 where p.eid = $1 and p.id < coalesce($2, 9223372036854775807) and u.operator_id = coalesce($4, u.operator_id)
 order by p.id desc
 limit $3;

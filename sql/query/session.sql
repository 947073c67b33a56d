-- RSP sessions: admitted by AuthenticateClient, ended by what follows. Rows of profile are locked
-- before those of download_order, these before rsp_session, everywhere.

-- name: session_admit(transaction_id bytea, matching_id text, eid text, credential_set smallint, saip_version integer, services bigint) -> seen boolean, seen_sha256 bytea, seen_refusal text, seen_metadata bytea, seen_code_required boolean, seen_otpk bytea, seen_signature2 bytea, order_id bigint, iccid text, order_eid text, state text, code_required boolean, download_attempts integer, expired boolean, frozen boolean, error text, saip_version integer, services bigint, upp_octets integer, metadata bytea, otpk bytea, template_id bigint, test_ci boolean, reusable boolean     zero rows: none
-- All that AuthenticateClient needs to know: whether this transaction was answered before, and the
-- order it is about. With a MatchingID it is the order of that MatchingID; without, the one for this
-- EID: a retry first, then a released one, one with an empty MatchingID before others, oldest first. Of
-- the variants of the order's template it is the first that this eUICC, with this version and these
-- services, can take; when it can take none, the first.
select s.transaction_id is not null as seen,
       s.request_sha256             as seen_sha256,
       s.refusal                    as seen_refusal,
       s.metadata                   as seen_metadata,
       coalesce(s.cc_required, false) as seen_code_required,
       s.bpp_otpk                   as seen_otpk,
       s.smdp_signature2            as seen_signature2,
       o.id                         as order_id,
       o.iccid,
       o.eid                        as order_eid,
       o.state,
       coalesce(o.cc_sha256 is not null, false) as code_required,
       coalesce(o.download_attempts, 0)         as download_attempts,
       coalesce(o.expires_at <= now(), false)   as expired,
       coalesce(o.frozen, false)                as frozen,
       o.error,
       coalesce(v.saip_version, o.saip_version, 0) as saip_version,
       coalesce(v.services, o.services)            as services,
       coalesce(v.upp_octets, o.upp_octets, 0)     as upp_octets,
       coalesce(v.metadata, o.metadata)            as metadata,
       b.euicc_otpk                 as otpk,
       v.id                         as template_id,
       coalesce((select w.test_ci
                   from profile_type t
                   join operator w on w.id = t.operator_id
                  where t.id = o.type_id), false) as test_ci,
       coalesce(o.reusable, false)  as reusable
  from (values (1)) as always
  left join rsp_session s on s.transaction_id = $1
  left join lateral (
       (select d.*, p.type_id, p.saip_version, p.services, p.upp_octets, p.metadata,
               case when p.order_id = d.id then p.state else 'installed' end as state
          from download_order d
          join profile p on p.iccid = d.iccid
         where $2 <> '' and d.matching_id = $2 and d.matching_id <> '' and d.cancelled_at is null
         order by d.frozen, d.pending desc, d.id desc
         limit 1)
        union all
       (select d.*, p.type_id, p.saip_version, p.services, p.upp_octets, p.metadata, p.state
          from download_order d
          join profile p on p.iccid = d.iccid and p.order_id = d.id
         where coalesce($2, '') = '' and d.eid = $3 and d.pending
         order by p.state = 'downloaded' desc, p.state = 'released' desc,
                  coalesce(d.matching_id, '-') = '' desc, d.id
         limit 1)
       ) o on true
  left join lateral (
       select t.*
         from template t
        where t.type_id = o.type_id and t.version = o.template_version
        order by t.saip_version <= $5 and t.services & ~$6 = 0 desc, t.rank
        limit 1
       ) v on true
  left join binding b on b.order_id = o.id and b.eid = $3 and b.credential_set = $4;

-- name: session_record(transaction_id bytea, credential_set smallint, eid text, euicc_curve smallint, euicc_point bytea, smdp_oid text, request_sha256 bytea, order_id bigint, download_attempts integer, state text, refusal text, event text, metadata bytea, code_required boolean, otpk bytea, smdp_signature2 bytea, tac text, imei text, peer text, why text, template_id bigint, subject text, reason text) -> order_id bigint     zero rows: conflict
-- Makes the session that AuthenticateClient admitted or refused and counts the attempt on its order,
-- if the order still is as it was judged; with an event (eligibility, attempts) the profile moves. Subject
-- and reason are the refusal's codes, for the operator. A reusable order is never used up, nor ended by a
-- card that cannot take its profile: that is told, and it stays.
-- Conflict: the transaction exists already, or the order changed meanwhile.
-- writes
with was as (
    select p.iccid, p.state, p.event_seq, t.name as type, t.operator_id, o.id,
           es2_told(t.operator_id) as told, o.smds, o.eid, o.matching_id, o.reusable
      from profile p
      join download_order o on o.id = p.order_id and o.iccid = p.iccid
      join profile_type t on t.id = p.type_id
     where o.id = $8 and o.pending and o.download_attempts = $9 and p.state = $10
       for update of p, o
), made as (
    insert into rsp_session (transaction_id, credential_set, eid, euicc_curve, euicc_point, smdp_oid,
                             request_sha256, order_id, iccid, state, refusal, metadata, cc_required,
                             bpp_otpk, smdp_signature2, tac, imei, peer, template_id, refusal_why)
    select $1, $2, $3, $4, $5, $6, $7, $8, (select iccid from was),
           case when $11 is null then 'authenticated' else 'ended' end, $11, $13, $14, $15, $16, $17,
           $18, $19, $21, case when $11 is not null then $20 end
     where $8 is null or exists (select from was)
        on conflict do nothing
 returning order_id
), counted as (
    update download_order o
       set download_attempts = o.download_attempts + (not o.reusable)::integer,
           last_transaction = $1,
           error = case when $12 is null or o.reusable then o.error else $11 end
      from was, made
     where o.id = was.id
), moved as (
    update profile p
       set state = m.to_state, state_since = now(),
           event_seq = was.event_seq + 1 + was.told
                       + (was.smds is not null and not was.reusable)::integer
      from was, made, profile_move m
     where p.iccid = was.iccid and m.from_state = was.state
       and m.event = case when was.reusable and $12 is not null then 'fail_reusable' else $12 end
 returning p.iccid, was.event_seq + 1 as event_seq, m.event, m.from_state, m.to_state, was.type,
           was.operator_id, was.id, was.told, was.smds, was.eid, was.matching_id, was.reusable
), passed as ( -- the eligibility check, and somebody wants to know
    update profile p
       set event_seq = was.event_seq + 1
      from was, made
     where p.iccid = was.iccid and $11 is null and was.told = 1
 returning p.iccid, p.event_seq, was.type, was.operator_id
), erased as (
    delete from binding b using moved where b.order_id = moved.id and not moved.reusable
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, iccid, event_seq, 'profile.failed',
           jsonb_build_object('iccid', iccid, 'eid', $3, 'orderId', id, 'profileType', type,
                              'state', to_state, 'transactionId', upper(encode($1, 'hex')),
                              'refusal', $11, 'why', $20) || reusable_mark(reusable)
      from moved
     union all
    select operator_id, iccid, event_seq, 'es2.progress',
           es2_progress(iccid, $3, type, 1, null, null, null, null)
      from passed
     union all
    select operator_id, iccid, event_seq + 1, 'es2.progress',
           es2_progress(iccid, $3, type, 1, $22, $23, $20, null)
      from moved
     where told = 1
     union all
    select operator_id, iccid, event_seq + 1 + told, 'es12.delete',
           es12_event(smds, iccid, eid, matching_id, id)
      from moved
     where smds is not null and not reusable
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select 'es9+:AuthenticateClient', event, iccid, $3, id, from_state, to_state, $20
      from moved
)
select order_id from made;

-- name: session_find(transaction_id bytea) -> state text, refusal text, eid text, euicc_curve smallint, euicc_point bytea, credential_set smallint, smdp_oid text, order_id bigint, iccid text, packed boolean, result text, download_attempts integer, waiting boolean     zero rows: none
-- A session with what CancelSession and HandleNotification need: the eUICC's key, whether a
-- package went out in it, which result was heard, whether notifications of its profile came before it.
select s.state, s.refusal, s.eid, s.euicc_curve, s.euicc_point, s.credential_set, s.smdp_oid,
       s.order_id, s.iccid,
       s.bpp_sign is not null             as packed,
       s.result,
       coalesce(o.download_attempts, 0)   as download_attempts,
       exists (select from notification n
                where n.eid = s.eid and n.iccid = s.iccid and not n.applied) as waiting
  from rsp_session s
  left join download_order o on o.id = s.order_id
 where s.transaction_id = $1;

-- name: session_check_code(transaction_id bytea, hash_cc bytea, nonce bytea, forgiven integer, request_sha256 bytea) -> outcome text     zero rows: conflict
-- Compares the Confirmation Code's hash under the order's lock and counts a wrong one, so that parallel
-- sessions cannot guess past the limit. A wrong code ends the session; one too many ends the order.
-- The nonce blinds the comparison. Outcome: right, CODE_REFUSED or CODE_EXCEEDED. Conflict: the
-- session is not waiting for its package any more, or could not have it: after one too many nothing is
-- compared, for the right code must not be told from a wrong one.
-- writes
with was as (
    select p.iccid, p.state, p.event_seq, t.name as type, t.operator_id, o.id, s.eid,
           es2_told(t.operator_id) as told, o.smds, o.matching_id, o.eid as order_eid, o.reusable,
           case when sha256($3 || sha256(o.cc_sha256 || s.transaction_id)) = sha256($3 || $2)
                then 'right'
                when o.cc_attempts >= $4 then 'CODE_EXCEEDED'
                else 'CODE_REFUSED' end as outcome
      from profile p
      join download_order o on o.id = p.order_id and o.iccid = p.iccid
      join rsp_session s on s.order_id = o.id
      join profile_type t on t.id = p.type_id
      join profile_move m on m.event = 'bind' and m.from_state = p.state
     where s.transaction_id = $1 and s.state = 'authenticated'
       and o.pending and (o.eid is null or o.eid = s.eid)
       for update of p, o, s
), counted as (
    update download_order o
       set cc_attempts = o.cc_attempts + 1,
           error = case when was.outcome = 'CODE_EXCEEDED' then was.outcome else o.error end
      from was
     where o.id = was.id and was.outcome <> 'right'
), ended as (
    update rsp_session s
       set state = 'ended', refusal = was.outcome, bpp_sha256 = $5
      from was
     where s.transaction_id = $1 and was.outcome <> 'right'
), moved as (
    update profile p
       set state = m.to_state, state_since = now(),
           event_seq = was.event_seq + 1 + was.told + (was.smds is not null)::integer
      from was, profile_move m
     where was.outcome = 'CODE_EXCEEDED'
       and p.iccid = was.iccid and m.event = 'exceed_confirmation_code' and m.from_state = was.state
 returning p.iccid, was.event_seq + 1 as event_seq, m.event, m.from_state, m.to_state,
           was.type, was.operator_id, was.told, was.smds, was.order_eid, was.matching_id,
           was.id, was.eid, was.reusable
), failed as ( -- and may be tried again; somebody wants to know
    update profile p
       set event_seq = was.event_seq + 1
      from was
     where p.iccid = was.iccid and was.outcome = 'CODE_REFUSED' and was.told = 1
 returning p.iccid, p.event_seq, was.type, was.operator_id, was.eid
), erased as (
    delete from binding b using moved where b.order_id = moved.id
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, iccid, event_seq, 'profile.failed',
           jsonb_build_object('iccid', iccid, 'eid', eid, 'orderId', id, 'profileType', type,
                              'state', to_state, 'transactionId', upper(encode($1, 'hex')),
                              'refusal', 'CODE_EXCEEDED', 'why', 'too many wrong Confirmation Codes')
           || reusable_mark(reusable)
      from moved
     union all
    select operator_id, iccid, event_seq, 'es2.progress',
           es2_progress(iccid, eid, type, 2, '8.2.7', '3.8', 'wrong Confirmation Code', null)
      from failed
     union all
    select operator_id, iccid, event_seq + 1, 'es2.progress',
           es2_progress(iccid, eid, type, 2, '8.2.7', '6.4', 'too many wrong Confirmation Codes', null)
      from moved
     where told = 1
     union all
    select operator_id, iccid, event_seq + 1 + told, 'es12.delete',
           es12_event(smds, iccid, order_eid, matching_id, id)
      from moved
     where smds is not null
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select 'es9+:GetBoundProfilePackage', event, iccid, eid, id, from_state, to_state,
           'too many wrong Confirmation Codes'
      from moved
)
select outcome from was;

-- name: session_cancel(transaction_id bytea, event text, error text, why text, subject text, reason text) -> moved boolean     zero rows: none
-- CancelSession: ends the session; the profile moves only for the newest session of a pending order
-- that belongs to no other EID. Of a reusable order every session may be rejected: that is told, and the order
-- stays. A repeat finds the session ended and moves nothing. Subject and reason tell the operator why.
-- writes
with was as (
    select p.iccid, p.state, p.event_seq, t.name as type, t.operator_id, o.id, s.eid,
           es2_told(t.operator_id) as told, o.smds, o.matching_id, o.eid as order_eid,
           o.reusable, case s.state when 'bound' then 4 else 3 end as point
      from profile p
      join download_order o on o.id = p.order_id and o.iccid = p.iccid
      join rsp_session s on s.order_id = o.id
      join profile_type t on t.id = p.type_id
     where s.transaction_id = $1 and s.state in ('authenticated', 'bound') and s.result is null
       and o.pending and not o.frozen and (o.reusable or o.last_transaction = $1)
       and (o.eid is null or o.eid = s.eid)
       for update of p, o, s
), closed as (
    update rsp_session s
       set state = 'cancelled'
     where s.transaction_id = $1 and s.state in ('authenticated', 'bound')
       and (select count(*) from was) >= 0
), moved as (
    update profile p
       set state = m.to_state, state_since = now(),
           event_seq = was.event_seq + 1
                       + case when m.to_state = 'error' or was.reusable then was.told else 0 end
                       + (m.to_state = 'error' and was.smds is not null)::integer
      from was, profile_move m
     where p.iccid = was.iccid and m.from_state = was.state
       and m.event = case when was.reusable and $2 = 'reject' then 'fail_reusable' else $2 end
 returning p.iccid, was.event_seq + 1 as event_seq, m.from_state, m.to_state, was.type,
           was.operator_id, was.id, was.eid, was.told, was.smds, was.matching_id, was.order_eid,
           was.point, was.reusable, m.event, m.to_state = 'error' or was.reusable as failed
), ended as (
    update download_order o set error = $3 from moved where o.id = moved.id and moved.to_state = 'error'
), erased as (
    delete from binding b using moved where b.order_id = moved.id and moved.to_state = 'error'
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, iccid, event_seq,
           case when failed then 'profile.failed' else 'profile.released' end,
           jsonb_build_object('iccid', iccid, 'eid', eid, 'orderId', id, 'profileType', type,
                              'state', to_state, 'transactionId', upper(encode($1, 'hex')), 'why', $4)
           || reusable_mark(reusable)
      from moved
     union all
    select operator_id, iccid, event_seq + 1, 'es2.progress',
           es2_progress(iccid, eid, type, point, $5, $6, $4, null)
      from moved
     where failed and told = 1
     union all
    select operator_id, iccid, event_seq + 1 + told, 'es12.delete',
           es12_event(smds, iccid, order_eid, matching_id, id)
      from moved
     where to_state = 'error' and smds is not null
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select 'es9+:CancelSession', event, iccid, eid, id, from_state, to_state, $4
      from moved
)
select exists (select from moved) as moved;

-- name: session_sweep(most integer) -> swept bigint     zero rows: none
-- Sessions without an order serve nobody a day after their transaction id expired.
-- lane: background
-- writes
with old as (
    select transaction_id
      from rsp_session
     where created_at < now() - interval '1 day' and order_id is null
     order by created_at
     limit $1
), gone as (
    delete from rsp_session s using old where s.transaction_id = old.transaction_id returning 1
)
select count(*) as swept from gone;

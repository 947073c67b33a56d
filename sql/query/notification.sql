-- What eUICCs report: results of installations, and what became of a profile on the card.

-- name: notification_record_result(transaction_id bytea, installed boolean, event text, error text, why text, sequence bigint, address text, evidence bytea, disproved boolean, result_data text) -> iccid text     zero rows: conflict
-- The signed result of an installation. A success makes the profile Installed whatever its order's
-- state; if it was sold again meanwhile the newer order, when it is still open, is frozen, its event at an
-- SM-DS deleted, and the operator alerted; so too, without a move, when another card has it already. A failure
-- moves it only when its package is the newest; a success counts also after a failure of its own session.
-- Disproved: the failure shows that the profile is not on the card, so that the order may go back to stock,
-- also when it was postponed meanwhile. Of a reusable order either is told, and moves nothing. Conflict: no
-- package went out in this session, its result was heard before, or the profile is being ordered again at this
-- moment by a call whose order does not show yet.
-- writes
with was as (
    select p.iccid, p.state, p.event_seq, p.order_id as holder, t.name as type,
           t.operator_id, o.id, s.eid,
           es2_told(t.operator_id) as told, o.smds, o.matching_id, o.eid as order_eid,
           p.order_id is distinct from o.id as resold,
           $2 and p.state = 'installed' and p.card_eid <> s.eid as doubled,
           coalesce(o.bound_transaction = $1, false) as newest, o.reusable
      from profile p
      join rsp_session s on s.iccid = p.iccid
      join download_order o on o.id = s.order_id
      join profile_type t on t.id = p.type_id
     where s.transaction_id = $1 and s.bpp_sign is not null
       and (s.result is null or $2 and s.result = 'failed')
       and exists (select from download_order h where h.id = p.order_id)
       for update of p, o, s
), heard as (
    update rsp_session s
       set result = case when $2 then 'installed' else 'failed' end,
           state = case when s.state = 'cancelled' then s.state else 'ended' end
      from was
     where s.transaction_id = $1
), kept as (
    insert into notification (eid, seq_number, operation, iccid, address, evidence, applied)
    select eid, $6, 'install', iccid, $7, $8, true
      from was
        on conflict do nothing
), held as ( -- what is to be frozen
    select h.id, h.smds, h.matching_id, coalesce(h.eid, h.registering_eid) as eid, h.registering_at
      from was
      join download_order h on h.id = was.holder
     where was.resold and $2 and h.pending
       for update of h
), moved as (
    update profile p
       set state = m.to_state,
           state_since = now(),
           order_id = was.id,
           event_seq = was.event_seq + case when was.resold then 2 else 1 end
                       + case when m.to_state in ('installed', 'error')
                              then (was.smds is not null)::integer else 0 end + was.told
                       + (held.smds is not null)::integer,
           card_state = case when $2 and not was.reusable then 'disabled' else p.card_state end,
           card_eid = case when $2 and not was.reusable then was.eid else p.card_eid end,
           card_seq = case when $2 and not was.reusable then $6 else p.card_seq end,
           card_since = case when $2 and not was.reusable then now() else p.card_since end
      from profile_move m, was
      left join held on true
     where p.iccid = was.iccid and m.from_state = was.state
       and m.event = case when not was.reusable then $3 when $2 then 'install_reusable'
                          else 'fail_reusable' end
       and ($2 or ((was.newest or was.reusable) and not was.resold))
 returning p.iccid, was.event_seq + 1 as seq,
           was.event_seq + case when was.resold then 3 else 2 end as next,
           m.event, m.from_state, m.to_state, was.type, was.operator_id, was.id, was.eid,
           was.resold, was.holder, was.told, was.smds, was.matching_id, was.order_eid,
           was.reusable, held.id as frozen_id
), doubled as (
    update profile p
       set event_seq = was.event_seq + 1
      from was
     where p.iccid = was.iccid and was.doubled
 returning p.iccid, p.event_seq as seq, p.state, was.type, was.operator_id, was.id, was.eid
), ended as (
    update download_order o
       set pending = o.pending and (o.reusable or not $2),
           package_out = $2 or o.package_out and (o.reusable or not $9), -- other cards have packages too
           error = case when moved.to_state = 'error' then $4 else o.error end
      from was
      left join moved on true
     where o.id = was.id
       and (moved.id is not null
            or (was.newest and not was.resold and not $2 and not was.reusable))
), frozen as (
    update download_order o
       set frozen = true, smds = null, registering_at = null
      from moved
     where o.id = moved.frozen_id
), erased as (
    delete from binding b using moved
     where b.order_id in (moved.id, moved.holder) and moved.to_state in ('installed', 'error')
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, iccid, seq,
           case when to_state = 'installed' or event = 'install_reusable' then 'profile.installed'
                when to_state = 'released' and not reusable then 'profile.released'
                else 'profile.failed' end,
           jsonb_build_object('iccid', iccid, 'eid', eid, 'orderId', id, 'profileType', type,
                              'state', to_state, 'transactionId', upper(encode($1, 'hex')),
                              'sequenceNumber', $6, 'why', $5, 'resultData', $10,
                              'evidence', translate(encode($8, 'base64'), E'\n', ''))
           || reusable_mark(reusable)
      from moved
     union all
    select operator_id, iccid, seq + 1, 'alert.profile-conflict',
           jsonb_build_object('iccid', iccid, 'eid', eid, 'orderId', id, 'profileType', type,
                              'state', to_state, 'frozenOrderId', frozen_id,
                              'why', 'installed from an older order while it was ordered again')
      from moved
     where resold
     union all
    select operator_id, iccid, seq, 'alert.profile-conflict',
           jsonb_build_object('iccid', iccid, 'eid', eid, 'orderId', id, 'profileType', type,
                              'state', state, 'frozenOrderId', null,
                              'why', 'installed while another card has it')
      from doubled
     union all
    select operator_id, iccid, next, 'es2.progress',
           es2_progress(iccid, eid, type, 4, case when not $2 then '8.2.10' end, '4.2', $5, $10)
      from moved
     where told = 1
     union all
    select operator_id, iccid, next + told, 'es12.delete',
           es12_event(smds, iccid, order_eid, matching_id, id)
      from moved
     where to_state in ('installed', 'error') and smds is not null
     union all
    select m.operator_id, m.iccid,
           m.next + m.told + (m.to_state in ('installed', 'error') and m.smds is not null)::integer,
           'es12.delete',
           es12_event(held.smds, m.iccid, held.eid, held.matching_id, held.id, held.registering_at)
      from moved m
      join held on held.id = m.frozen_id
     where held.smds is not null
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select 'es9+:HandleNotification', event, iccid, eid, id, from_state, to_state, $5
      from moved
     union all
    select 'es9+:HandleNotification', 'card_install', iccid, eid, id, null, null,
           'another card has it'
      from doubled
)
select iccid from was;

-- name: notification_record(eid text, sequence bigint, operation text, iccid text, address text, evidence bytea, test_ci boolean) -> eid text     zero rows: conflict
-- Keeps a signed notification of a profile that this eUICC once had a session for; what it means for the
-- profile is notification_apply's. Conflict: it is known already, none of our profiles, or it is of a
-- test CI and the profile's operator accepts none.
-- writes
insert into notification (eid, seq_number, operation, iccid, address, evidence)
select $1, $2, $3, $4, $5, $6
 where exists (select from rsp_session s where s.eid = $1 and s.iccid = $4)
   and ($7 is not true or exists (select
                            from profile p
                            join profile_type t on t.id = p.type_id
                            join operator w on w.id = t.operator_id
                           where p.iccid = $4 and w.test_ci))
    on conflict do nothing
returning eid;

-- name: notification_apply(eid text, iccid text) -> applied bigint     zero rows: none
-- Applies what was kept for a profile on the card that holds it, by sequence number: only what is
-- newer than what the card said last counts. A delete moves the profile as its type says; its order
-- is open again for the same eUICC when it is to be re-issued, and its event registered once more. Of a
-- reusable order every card may speak; what it says is told, and changes nothing.
-- writes
with was as (
    select p.iccid, p.state, p.event_seq, p.card_seq, p.order_id, t.name as type,
           t.operator_id, t.on_delete, es2_told(t.operator_id, true) as told,
           coalesce(o.reusable, false) as reusable, o.smds, o.eid as order_eid,
           case when exists (select from download_order x
                              where x.matching_id = o.matching_id and x.matching_id <> '' and x.pending
                                and not x.frozen and x.id <> o.id)
                then '' else o.matching_id end as matching_id
      from profile p
      join profile_type t on t.id = p.type_id
      left join download_order o on o.id = p.order_id
     where p.iccid = $2 and (p.card_eid = $1 or o.reusable)
       for update of p
), marked as (
    update notification n
       set applied = true
      from was
     where n.eid = $1 and n.iccid = $2 and not n.applied
 returning n.seq_number, n.operation, n.evidence, was.reusable or n.seq_number > was.card_seq as newer
), fresh as (
    select seq_number, operation, evidence,
           row_number() over (order by seq_number) as nth,
           count(*) over ()                        as many
      from marked
     where newer and operation <> 'install'
), last as (
    select seq_number, operation, many from fresh where nth = many
), next as (
    select was.iccid, m.event, m.from_state, m.to_state,
           (m.event = 'reissue' and was.smds is not null and was.matching_id <> '')::integer as registered
      from was
      join last on last.operation = 'delete'
      join profile_move m on m.from_state = was.state
       and m.event = case was.on_delete when 'reissue' then 'reissue'
                                        when 'available' then 'restock' end
), moved as (
    update profile p
       set card_state = case when was.reusable then p.card_state
                             when last.operation = 'enable' then 'enabled'
                             when last.operation = 'disable' then 'disabled'
                             else 'deleted' end,
           card_seq = case when was.reusable then p.card_seq else last.seq_number end,
           card_since = case when was.reusable then p.card_since else now() end,
           state = coalesce(next.to_state, p.state),
           state_since = case when next.to_state is null then p.state_since else now() end,
           event_seq = was.event_seq + last.many + case when next.to_state is null then 0 else 1 end
                       + was.told * last.many + coalesce(next.registered, 0)
      from was
      cross join last
      left join next on true
     where p.iccid = was.iccid
 returning p.iccid, p.event_seq - was.told * last.many - coalesce(next.registered, 0) as event_seq,
           p.event_seq as last_seq, next.event, next.from_state, next.to_state, next.registered, was.type,
           was.operator_id, was.order_id, was.smds, was.order_eid, was.matching_id
), reopened as (
    update download_order o
       set pending = true, expires_at = null, cancelled_at = null, frozen = false, package_out = false,
           download_attempts = 0, cc_attempts = 0, error = null, matching_id = moved.matching_id,
           smds = case when moved.registered = 1 then o.smds end
      from moved
     where moved.event = 'reissue' and o.id = moved.order_id
), erased as ( -- one that came at the very moment of the installation
    delete from binding b using moved where moved.to_state is not null and b.order_id = moved.order_id
), disarmed as ( -- packages given before count no more: no result of theirs can take the profile back
    update rsp_session s
       set bpp_sign = null
      from moved
     where moved.to_state is not null and s.order_id = moved.order_id
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select was.operator_id, was.iccid, was.event_seq + fresh.nth, 'profile.' || fresh.operation || 'd',
           jsonb_build_object('iccid', was.iccid, 'eid', $1, 'orderId', was.order_id,
                              'profileType', was.type, 'state', was.state,
                              'sequenceNumber', fresh.seq_number,
                              'evidence', translate(encode(fresh.evidence, 'base64'), E'\n', ''))
           || reusable_mark(was.reusable)
      from was, fresh
     union all
    select operator_id, iccid, event_seq,
           case event when 'reissue' then 'profile.released' else 'profile.restocked' end,
           jsonb_build_object('iccid', iccid, 'eid', $1, 'orderId', order_id, 'profileType', type,
                              'state', to_state, 'why', 'deleted on the card')
      from moved
     where to_state is not null
     union all -- points that SGP.22 leaves to be agreed, docs/interpretations.md
    select moved.operator_id, moved.iccid, moved.event_seq + fresh.nth, 'es2.progress',
           es2_progress(moved.iccid, $1, moved.type,
                        case fresh.operation when 'enable' then 100 when 'disable' then 101
                                             else 102 end, null, null, null, null)
      from was, fresh, moved
     where was.told = 1
     union all
    select operator_id, iccid, last_seq, 'es12.register',
           es12_event(smds, iccid, order_eid, matching_id, order_id)
      from moved
     where registered = 1
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state, why)
    select 'es9+:HandleNotification', 'card_' || fresh.operation, was.iccid, $1, was.order_id,
           null, null, 'sequence number ' || fresh.seq_number
      from was, fresh
     union all
    select 'es9+:HandleNotification', event, iccid, $1, order_id, from_state, to_state,
           'deleted on the card'
      from moved
     where to_state is not null
)
select count(*) as applied from fresh;

-- name: notification_stragglers(most integer) -> eid text, iccid text     zero rows: none
-- Profiles whose notifications came at the very moment of their installation and were not applied.
-- lane: background
select distinct n.eid, n.iccid
  from notification n
  join profile p on p.iccid = n.iccid and p.card_eid = n.eid
 where not n.applied
 limit $1;

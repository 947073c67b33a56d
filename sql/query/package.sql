-- Bound profile packages: what one is made of, and the record that lets the same one be made again.

-- name: package_find(transaction_id bytea) -> session_state text, refusal text, eid text, euicc_curve smallint, euicc_point bytea, credential_set smallint, signature2 bytea, metadata bytea, code_required boolean, answered_sha256 bytea, answered_sign bytea, order_id bigint, iccid text, order_eid text, pending boolean, cancelled boolean, frozen boolean, error text, state text, protection_keys boolean, bound_eid text, bound_otpk bytea, bound_seed bytea, bound_sha256 bytea, bound_set smallint, bound_by bytea, upp bytea, template_id bigint, personal bytea     zero rows: none
-- The session, its order and profile, the sealed package, and the binding of the last attempt.
select s.state                             as session_state,
       s.refusal, s.eid, s.euicc_curve, s.euicc_point, s.credential_set,
       s.smdp_signature2                   as signature2,
       s.metadata,
       s.cc_required                       as code_required,
       s.bpp_sha256                        as answered_sha256,
       s.bpp_sign                          as answered_sign,
       o.id                                as order_id,
       o.iccid,
       o.eid                               as order_eid,
       coalesce(o.pending, false)          as pending,
       coalesce(o.cancelled_at is not null, false) as cancelled,
       coalesce(o.frozen, false)           as frozen,
       o.error,
       case when p.order_id = o.id then p.state end as state,
       coalesce(t.keys = 'ppk', false)     as protection_keys,
       b.eid                               as bound_eid,
       b.euicc_otpk                        as bound_otpk,
       b.seed                              as bound_seed,
       b.segments_sha256                   as bound_sha256,
       coalesce(b.credential_set, 0::smallint) as bound_set,
       b.transaction_id                    as bound_by,
       u.upp,
       s.template_id,
       p.personal
  from rsp_session s
  left join download_order o on o.id = s.order_id
  left join profile p on p.iccid = o.iccid
  left join profile_type t on t.id = p.type_id
  left join profile_package u on u.iccid = o.iccid
  left join binding b on b.order_id = o.id
 where s.transaction_id = $1;

-- name: package_record(transaction_id bytea, otpk bytea, seed bytea, segments_sha256 bytea, request_sha256 bytea, sign bytea, credential_set smallint) -> iccid text     zero rows: conflict
-- The package may leave: the order is tied to the eUICC, the profile is Downloaded, the binding and the
-- session's answer are kept. A reusable order is tied to nobody, its profile stays Released. Conflict: the
-- order changed since it was read, or another eUICC won it.
-- writes
with was as (
    select p.iccid, p.state, p.event_seq, t.name as type, t.operator_id, o.id, s.eid, s.metadata,
           s.template_id, es2_told(t.operator_id) as told, o.reusable
      from profile p
      join download_order o on o.id = p.order_id and o.iccid = p.iccid
      join rsp_session s on s.order_id = o.id
      join profile_type t on t.id = p.type_id
     where s.transaction_id = $1 and s.state = 'authenticated'
       and o.pending and not o.frozen and (o.eid is null or o.eid = s.eid)
       for update of p, o, s
), moved as (
    update profile p
       set state = m.to_state, state_since = now(), event_seq = was.event_seq + 1 + was.told
      from was, profile_move m
     where p.iccid = was.iccid and m.from_state = was.state
       and m.event = case when was.reusable then 'bind_reusable' else 'bind' end
 returning p.iccid, was.event_seq + 1 as event_seq, m.event, m.from_state, m.to_state,
           was.type, was.operator_id, was.told, was.id, was.eid,
           was.metadata, was.template_id, was.reusable
), linked as (
    update download_order o
       set eid = case when moved.reusable then o.eid else moved.eid end,
           linked_at = case when moved.reusable then o.linked_at else coalesce(o.linked_at, now()) end,
           linked_by = case when moved.reusable then o.linked_by
                            else coalesce(o.linked_by, 'GetBoundProfilePackage') end,
           package_out = true,
           bound_transaction = $1
      from moved
     where o.id = moved.id
), bound as (
    insert into binding (order_id, iccid, eid, transaction_id, credential_set, euicc_otpk, seed,
                         metadata, segments_sha256, template_id)
    select id, iccid, eid, $1, $7, $2, $3, metadata, $4, template_id
      from moved
        on conflict (order_id) do update
       set eid = excluded.eid,
           transaction_id = excluded.transaction_id,
           credential_set = excluded.credential_set,
           euicc_otpk = excluded.euicc_otpk,
           seed = excluded.seed,
           metadata = excluded.metadata,
           segments_sha256 = excluded.segments_sha256,
           template_id = excluded.template_id,
           made_at = now()
), answered as (
    update rsp_session s
       set state = 'bound', bpp_sha256 = $5, bpp_sign = $6
      from moved
     where s.transaction_id = $1
), noted as (
    insert into outbox (operator_id, order_key, seq, type, data)
    select operator_id, iccid, event_seq, 'profile.downloaded',
           jsonb_build_object('iccid', iccid, 'eid', eid, 'orderId', id, 'profileType', type,
                              'state', to_state, 'transactionId', upper(encode($1, 'hex'))) || reusable_mark(reusable)
      from moved
     union all
    select operator_id, iccid, event_seq + 1, 'es2.progress',
           es2_progress(iccid, eid, type, 3, null, null, null, null)
      from moved
     where told = 1
), audited as (
    insert into audit (actor, act, iccid, eid, order_id, from_state, to_state)
    select 'es9+:GetBoundProfilePackage', event, iccid, eid, id, from_state, to_state
      from moved
)
select iccid from moved;

-- name: binding_sweep(most integer) -> swept bigint     zero rows: none
-- Erases bindings whose package can never be asked for again: their order ended at the very moment at
-- which they were made.
-- lane: background
-- writes
with over as (
    select b.order_id
      from binding b
     where (select not o.pending or p.order_id <> o.id or p.state not in ('released', 'downloaded')
              from download_order o
              join profile p on p.iccid = o.iccid
             where o.id = b.order_id)
     limit $1
), gone as (
    delete from binding b using over where b.order_id = over.order_id returning 1
)
select count(*) as swept from gone;

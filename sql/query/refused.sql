-- Calls about a profile that were refused and wrote nothing else (docs/orders.md): for its history. They are
-- told behind the answer, by the daemon's own will, so no call waits for them.

-- name: refused_put(iccid text, matching_id text, eid text, caller text, function text, refusal text, why text, transaction_id bytea, tac text, imei text, peer text) -> times bigint     zero rows: none
-- Counts a refused call, and forgets the oldest beyond the sixteenth caller of this function and refusal.
-- Without an ICCID it is about the order that this MatchingID, or the empty one and the EID, would have found.
-- What the device told is that of its session, when the call has none. Sent again it is counted twice.
-- None: it is about no profile that is here.
-- lane: background
-- writes
with about as materialized (
    select p.iccid from profile p where p.iccid = $1
     union all
    (select d.iccid
       from download_order d
      where $1::text is null and $2 <> '' and d.matching_id = $2 and d.matching_id <> ''
        and d.cancelled_at is null
      order by d.frozen, d.pending desc, d.id desc
      limit 1)
     union all
    (select d.iccid
       from download_order d
       join profile p on p.iccid = d.iccid and p.order_id = d.id
      where $1::text is null and $2 = '' and d.eid = $3 and d.pending
      order by p.state = 'downloaded' desc, p.state = 'released' desc,
               coalesce(d.matching_id, '-') = '' desc, d.id
      limit 1)
), put as (
    insert into refused_call as r (iccid, function, refusal, caller, eid, transaction_id, tac, imei, peer, why)
    select about.iccid, $5, $6, $4, coalesce($3, ''), $8, coalesce($9, s.tac), coalesce($10, s.imei), $11, $7
      from about
      left join rsp_session s on s.transaction_id = $8
        on conflict (iccid, function, refusal, caller, eid) do update
       set times = r.times + 1, last_at = now(), transaction_id = excluded.transaction_id,
           tac = excluded.tac, imei = excluded.imei, peer = excluded.peer, why = excluded.why
 returning r.times
), beyond as (
    select r.caller, r.eid
      from refused_call r
     where r.iccid = (select iccid from about) and r.function = $5 and r.refusal = $6
       and (r.caller, r.eid) <> ($4, coalesce($3, ''))
     order by r.last_at desc
    offset 15
), doomed as (
    select r.iccid, r.function, r.refusal, r.caller, r.eid
      from refused_call r
      join beyond on beyond.caller = r.caller and beyond.eid = r.eid
     where r.iccid = (select iccid from about) and r.function = $5 and r.refusal = $6
       for update of r skip locked -- two calls beside each other wait for nobody
), gone as (
    delete from refused_call r
     using doomed d
     where r.iccid = d.iccid and r.function = d.function and r.refusal = d.refusal
       and r.caller = d.caller and r.eid = d.eid
)
select times from put;

-- name: refused_sweep(most integer) -> swept bigint     zero rows: none
-- What was last refused so 90 days ago.
-- lane: background
-- writes
with old as (
    select iccid, function, refusal, caller, eid
      from refused_call
     where last_at < now() - interval '90 days'
     order by last_at
     limit $1
       for update skip locked
), gone as (
    delete from refused_call r
     using old
     where r.iccid = old.iccid and r.function = old.function and r.refusal = old.refusal
       and r.caller = old.caller and r.eid = old.eid
 returning 1
)
select count(*) as swept from gone;

-- Alerts: what an operator or the house is told of once, by whichever instance sees it first.

-- name: alert_certificate(sha256 bytea, ahead integer, what text, name text, not_after timestamptz, days_left bigint) -> told boolean     zero rows: none
-- A certificate of ours, or a revocation list, ends in so many days. None: that was told already, or
-- something more urgent.
with told as (
    insert into certificate_watch as w (sha256, ahead)
    values ($1, $2)
        on conflict (sha256) do update
       set ahead = excluded.ahead, event_seq = w.event_seq + 1, told_at = now()
     where w.ahead > excluded.ahead
 returning event_seq
), noted as (
    insert into outbox (order_key, seq, type, data)
    select upper(encode($1, 'hex')), event_seq, 'alert.certificate-expiry',
           jsonb_build_object('what', $3::text, 'name', $4::text,
                              'fingerprint', upper(encode($1, 'hex')), 'notAfter', utc($5),
                              'daysLeft', $6::bigint, 'ahead', $2::integer)
      from told
)
select true as told from told;

-- name: alert_clones(recent bigint, addresses integer, tacs integer) -> eid text, addresses bigint, tacs bigint     zero rows: none
-- eUICCs with a session in the last so many seconds that within a day called from too many addresses (of
-- IPv6 the first 64 bits) or out of too many types of device; a limit of 0 is none. Each is told once a
-- day.
-- lane: background
with recent as (
    select distinct s.eid
      from rsp_session s
     where s.created_at > now() - $1 * interval '1 second'
), seen as (
    select r.eid, x.addresses, x.tacs
      from recent r
     cross join lateral (
           select count(distinct address_group(s.peer)) as addresses, count(distinct s.tac) as tacs
             from rsp_session s
            where s.eid = r.eid and s.created_at > now() - interval '1 day') x
     where ($2 > 0 and x.addresses >= $2) or ($3 > 0 and x.tacs >= $3)
), told as (
    insert into euicc_watch as w (eid)
    select eid from seen order by eid
        on conflict (eid) do update
       set event_seq = w.event_seq + 1, cloned_at = now()
     where w.cloned_at <= now() - interval '1 day'
 returning eid, event_seq
), noted as (
    insert into outbox (order_key, seq, type, data)
    select t.eid, t.event_seq, 'alert.euicc-cloned',
           jsonb_build_object('eid', t.eid, 'addresses', s.addresses, 'deviceTypes', s.tacs,
                              'hours', 24)
      from told t
      join seen s on s.eid = t.eid
)
select t.eid, s.addresses, s.tacs from told t join seen s on s.eid = t.eid;

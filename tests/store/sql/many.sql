-- A database as it looks after a while, so that the planner's choices mean something: 30,000 profiles,
-- most of them installed, with their orders, sessions, notifications and events.
begin;
set local session_replication_role = replica;   -- no triggers, no foreign keys: this is only bulk

insert into profile_type (operator_id, name) select 1, 'type ' || n from generate_series(1, 5) as n;
insert into credential_set (id, ci_pkid, auth_sha256, pb_sha256)
select n, decode(lpad(to_hex(n), 40, '0'), 'hex'), decode(lpad(to_hex(n), 64, '0'), 'hex'),
       decode(lpad(to_hex(n), 64, '0'), 'hex')
  from generate_series(1, 2) as n;

insert into download_order (iccid, eid, matching_id, expires_at, pending, package_out)
select (8900000000000000000 + n)::text, lpad(n::text, 32, '0'), 'M' || n,
       now() + make_interval(mins => n::integer), n % 20 = 0, n % 20 <> 0
  from generate_series(1, 30000) as n;

insert into profile (iccid, type_id, class, state, order_id, saip_version, services, upp_octets, metadata,
                     card_state, card_eid, card_seq)
select (8900000000000000000 + n)::text, n % 5 + 1, 'operational',
       case when n % 20 = 0 then 'released' when n % 50 = 1 then 'available' else 'installed' end,
       n, 512, 3, 10000, '\x00', case when n % 20 <> 0 then 'enabled' end,
       case when n % 20 <> 0 then lpad(n::text, 32, '0') end, 1
  from generate_series(1, 30000) as n;

insert into profile_package (iccid, upp)
select iccid, decode(repeat('00', 64), 'hex') from profile;

insert into rsp_session (transaction_id, credential_set, eid, euicc_curve, euicc_point, smdp_oid,
                         request_sha256, order_id, iccid, state, created_at)
select decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, lpad(n::text, 32, '0'), 1, '\x04', '2.999.10', '\x00',
       n, (8900000000000000000 + n)::text, 'ended', now() - make_interval(mins => n::integer)
  from generate_series(1, 30000) as n;

insert into binding (order_id, iccid, eid, transaction_id, credential_set, euicc_otpk, seed, metadata,
                     segments_sha256)
select n, (8900000000000000000 + n)::text, lpad(n::text, 32, '0'), '\x00', 1, '\x04', '\x00', '\x00', '\x00'
  from generate_series(1, 3000) as n;

insert into notification (eid, seq_number, operation, iccid, address, evidence, applied)
select lpad(n::text, 32, '0'), 1, 'install', (8900000000000000000 + n)::text, 'smdp.example.org', '\x00',
       n % 100 <> 0
  from generate_series(1, 30000) as n;

insert into outbox (order_key, seq, type, data)
select (8900000000000000000 + n)::text, s, 'profile.ordered', '{}'
  from generate_series(1, 10000) as n, generate_series(1, 3) as s;

insert into subscriber (operator_id, kind, name, address, types)
select case n when 1 then 1 end, case n when 1 then 'es2' else 'es12' end, 's' || n, 's' || n, '{es2.progress}'
  from generate_series(1, 5) as n;

insert into delivery (subscriber_id, outbox_id, order_key, seq, state)
select n % 5 + 1, id, order_key, seq,
       case when id % 100 = 0 then 'waiting' when id % 100 = 1 then 'dead' else 'delivered' end
  from outbox, generate_series(1, 2) as n;

insert into delivery_key (subscriber_id, order_key, bucket, pending, next_at)
select subscriber_id, order_key, hashtext(order_key) & 255, count(*) filter (where state = 'waiting'),
       now() - make_interval(secs => min(outbox_id))
  from delivery
 group by subscriber_id, order_key;

insert into delivery_lease (subscriber_id, bucket, owner, token, expires_at)
select s, b, md5((b % 3)::text)::uuid, nextval('delivery_token'), now() + interval '1 minute'
  from generate_series(1, 5) as s, generate_series(0, 255) as b;

insert into operator_call (client_id, key, order_id, iccid, expires_at)
select n % 3 + 1, decode(lpad(to_hex(n), 64, '0'), 'hex'), n, (8900000000000000000 + n)::text,
       now() + make_interval(mins => n::integer)
  from generate_series(1, 30000) as n;

insert into audit (actor, act, iccid, eid, order_id, seal_id)
select 'es9', 'bind', (8900000000000000000 + n)::text, lpad(n::text, 32, '0'), n,
       case when n < 29000 then n / 100 + 1 end
  from generate_series(1, 30000) as n;

insert into audit_seal (id, entries, prev_hash, hash)
select n, 100, '\x00', '\x00' from generate_series(1, 290) as n;
insert into refused_call (iccid, function, refusal, caller, eid, last_at)
select (8900000000000000000 + n)::text, 'GetBoundProfilePackage', r, 'es9+', lpad(n::text, 32, '0'),
       now() - make_interval(mins => n::integer)
  from generate_series(1, 15000) as n, unnest(array['ORDER_EXPIRED', 'EUICC_DENIED']) as r;

insert into euicc (eid, operator_id, added_by, last_seen, point, curve)
select lpad(n::text, 32, '0'), n % 3 + 1, 'test', now() - make_interval(mins => n::integer),
       decode(repeat('04', 65), 'hex'), 0
  from generate_series(1, 30000) as n;

insert into eim_package (eid, kind, what, body, asked_by, state, deadline, counter, eim_transaction_id, octets,
                         out_at, times_out)
select lpad((n % 30000 + 1)::text, 32, '0'), 'package', 'enable', '\x00', 'test',
       case when n % 40 = 0 then 'unknown' when n % 40 = 1 then 'waiting' else 'done' end,
       case when n % 80 = 1 then now() + make_interval(mins => n::integer) end,
       case when n % 40 <> 1 then n end,
       case when n % 40 <> 1 then decode(lpad(to_hex(n), 32, '0'), 'hex') end, '\x00',
       case when n % 40 <> 1 then now() end, 1
  from generate_series(1, 60000) as n;

insert into euicc_profile (eid, iccid, state, evidence)
select lpad((n % 30000 + 1)::text, 32, '0'), (8900000000000000000 + n)::text, 'disabled', 'list'
  from generate_series(1, 60000) as n;

insert into euicc_eim (eid, eim_id)
select lpad((n % 30000 + 1)::text, 32, '0'), 'eim' || n from generate_series(1, 60000) as n;

insert into eim_notification (eid, sha256, address, octets, state, next_at, received_at)
select lpad(n::text, 32, '0'), sha256(n::text::bytea), 'smdp.example.org', '\x00',
       case when n % 50 = 0 then 'waiting' else 'forwarded' end, now() - make_interval(secs => n::integer),
       now() - make_interval(mins => n::integer)
  from generate_series(1, 30000) as n;

insert into eim_raw_result (eid, why, octets, sha256, last_at)
select lpad((n % 3000 + 1)::text, 32, '0'), 'wrong-signature', '\x00', sha256(n::text::bytea),
       now() - make_interval(mins => n::integer)
  from generate_series(1, 30000) as n;
commit;
analyze;

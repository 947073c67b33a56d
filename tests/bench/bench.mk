# make bench: what it writes and prints is described in docs/performance.md.
$(B)/bench/floor: tests/bench/floor.c $(B)/config.mk
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(WARN) $(OPENSSL_CFLAGS) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(OPENSSL_LIBS)
$(B)/bench/bare: tests/bench/bare.c $(B)/config.mk
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(WARN) $(OPENSSL_CFLAGS) $(PQ_CFLAGS) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $< \
		$(OPENSSL_LIBS) $(PQ_LIBS)
$(B)/bench/coap_floor: tests/bench/coap_floor.c $(B)/config.mk
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(WARN) $(COAP_CFLAGS) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(COAP_LIBS)
$(B)/bench/coap_load: tests/bench/coap_load.c $(B)/config.mk
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(WARN) $(OPENSSL_CFLAGS) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(OPENSSL_LIBS)
$(B)/bench/personalise: tests/bench/personalise.c $(B)/config.mk $(call archives,dp)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(call ALL_CFLAGS,dp) $(OPENSSL_CFLAGS) -c -o $@.o $<
	$(Q)$(call link,dp,$@.o)

.PHONY: bench bench-profile
bench-profile: all
	$(Q)tests/bench/run $(B) --profile
bench: all $(B)/bench/floor $(B)/bench/bare $(B)/bench/personalise $(B)/bench/coap_floor $(B)/bench/coap_load
	$(Q)tests/bench/run $(B)

# make bench: what it writes and prints is described in docs/performance.md.
$(B)/bench/floor: tests/bench/floor.c $(B)/config.mk
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(WARN) $(OPENSSL_CFLAGS) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(OPENSSL_LIBS)

.PHONY: bench bench-profile
bench-profile: all
	$(Q)tests/bench/run $(B) --profile
bench: all $(B)/bench/floor
	$(Q)tests/bench/run $(B)

# One libFuzzer program per entry of outside octets: tests/fuzz/FOLDER_topic_fuzz.c, seeds beside it in
# seeds/FOLDER_topic/, a dictionary FOLDER_topic.dict where one helps. `make fuzz` builds them with clang in a
# folder of their own and runs each for FUZZ_SECONDS; what it finds new stays in that folder.
FUZZ_SECONDS ?= 60
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*_fuzz.c))
FUZZ_PROGRAMS := $(FUZZ_SOURCES:tests/%.c=$(B)/%)

define fuzz_rules
$2: $1 $$(B)/config.mk $$(call archives,$3) | $$(GENERATED_$3)
	$$(call say,CC,$1)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(call ALL_CFLAGS,$3) $$(foreach l,$$(call libs_of,$3),$$($$l_CFLAGS)) -Itests -MT $$@ \
		-c -o $$@.o $1
	$$(Q)$$(call link,$3,$$@.o) $$(CMOCKA_LIBS) -fsanitize=fuzzer
-include $2.d
endef
$(foreach s,$(FUZZ_SOURCES),$(eval $(call fuzz_rules,$s,$(s:tests/%.c=$(B)/%),$(firstword $(subst _, ,$(notdir $s))))))

.PHONY: fuzz fuzz-programs
ifeq ($(FUZZ),yes)
fuzz: fuzz-programs
	$(Q)tests/fuzz/run $(B) $(FUZZ_SECONDS) $(FUZZ_PROGRAMS)
fuzz-programs: $(FUZZ_PROGRAMS)
else
fuzz fuzz-programs:
	$(Q)$(MAKE) --no-print-directory B=build-fuzz CONFIGURE='CC=clang --enable-fuzz' $@
endif

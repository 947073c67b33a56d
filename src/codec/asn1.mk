# The generated ASN.1 codecs: asn1c over asn1/*.asn1, compiled into one archive. Only src/codec and
# src/profile see the generated headers. What asn1c makes is known after it ran, so it writes the list
# of objects as a makefile of its own; make runs it while reading this file and then starts over.
ASN1_MODULES := $(sort $(wildcard asn1/*.asn1))
ASN1_DIR := $(B)/gen/asn1
ASN1_STAMP := $(ASN1_DIR)/objects.mk
# As system headers, so that our warnings are about our code.
ASN1_CFLAGS := -isystem $(ASN1_DIR)
# asn1c's support code shifts negative numbers to the left and adds 0 to NULL: gcc and clang allow it.
ASN1_FLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g -w -fPIE -fstack-protector-strong $(SANITIZE) \
	$(if $(SANITIZE),-fno-sanitize=shift -fno-sanitize=pointer-overflow) \
	-Dfree=codec_asn1_free -Drealloc=codec_asn1_realloc
NEEDS_codec := ASN1
NEEDS_profile := ASN1
GENERATED_profile := $(ASN1_STAMP)

# asn1c leaves links to its support code and an example; the example goes.
$(ASN1_STAMP): $(ASN1_MODULES) src/codec/asn1.mk | $(B)/config.mk
	$(Q)rm -rf $(ASN1_DIR)
	$(Q)mkdir -p $(ASN1_DIR)
	$(call say,ASN1C,asn1)
	$(Q)cd $(ASN1_DIR) && $(ASN1C) -fcompound-names -fincludes-quoted $(ASN1_MODULES:%=$(CURDIR)/%) \
		>asn1c.log 2>&1 || { cat asn1c.log; exit 1; }
	$(Q)rm -f $(ASN1_DIR)/converter-sample.c
	$(Q)(printf 'ASN1_OBJECTS :='; for f in $(ASN1_DIR)/*.c; do \
		printf ' $$(B)/obj/asn1/%s.o' "$$(basename "$$f" .c)"; done; echo) >$@.new
	$(Q)mv $@.new $@

ifdef ASN1C
include $(ASN1_STAMP)
endif

$(B)/obj/asn1/%.o: $(ASN1_DIR)/%.c $(B)/config.mk src/codec/asn1.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ASN1_FLAGS) -I$(ASN1_DIR) -c -o $@ $<
$(B)/lib/asn1.a: $(ASN1_OBJECTS)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

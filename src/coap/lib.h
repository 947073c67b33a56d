#ifndef COAP_LIB_H
#define COAP_LIB_H
/* libcoap, but for the names that it gives to levels of a log: those are base/log.h's. */
#include <coap3/coap.h>
#undef LOG_EMERG
#undef LOG_ALERT
#undef LOG_CRIT
#undef LOG_ERR
#undef LOG_WARNING
#undef LOG_NOTICE
#undef LOG_INFO
#undef LOG_DEBUG

#endif

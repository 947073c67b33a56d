#ifndef RSPCTL_PKI_H
#define RSPCTL_PKI_H
/*
 * `rspctl pki`: making, asking for and checking certificates. Works without a daemon; reads and writes
 * files only.
 */

/*
 * argv[0] is "make-test", "csr" or "check", its options follow. Returns the exit code: 0, 1 when check
 * found a problem, else by sysexits.h (64 usage, 66 no input, 73 cannot create).
 */
int rspctl_pki(int argc, char **argv);

#endif

/* no_core.h - a process that holds private keys leaves no dump of its memory.
 *
 * Source    prctl(2), PR_SET_DUMPABLE; core(5). */
#ifndef PEAL_NO_CORE_H
#define PEAL_NO_CORE_H

/* From now on this process dumps no core, however it ends, and no other
 * process of the same user can look into its memory. Programs that it starts
 * are as they were, but for a core size limit of 0. Does nothing in a build
 * with AddressSanitizer, which looks at its own process from outside. */
void peal_no_core(void);

#endif

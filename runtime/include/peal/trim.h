/* trim.h - give back memory that a process which waits does not need. */
#ifndef PEAL_TRIM_H
#define PEAL_TRIM_H

/* Free memory of the heap goes back to the system, and so do the pages of
 * program and libraries that nobody may write: they are read again from the
 * page cache, as far as they are used again. Does nothing where the system
 * cannot. */
void peal_trim(void);

#endif

/* Postfix's master insists on being root, to become other users. Preloaded, this lets it believe so while everything stays the one
   user that started it: enough to receive mail on loopback and deliver it into a maildir of that user. Linux; a test's tool only. */
static unsigned user, effective_user, group, effective_group;

unsigned getuid(void) { return user; }
unsigned geteuid(void) { return effective_user; }
unsigned getgid(void) { return group; }
unsigned getegid(void) { return effective_group; }
int setuid(unsigned id) { user = effective_user = id; return 0; }
int seteuid(unsigned id) { effective_user = id; return 0; }
int setgid(unsigned id) { group = effective_group = id; return 0; }
int setegid(unsigned id) { effective_group = id; return 0; }
int setgroups(unsigned long count, const unsigned *groups) { (void)count; (void)groups; return 0; }
int initgroups(const char *name, unsigned id) { (void)name; (void)id; return 0; }
int chown(const char *path, unsigned owner, unsigned id) { (void)path; (void)owner; (void)id; return 0; }
int fchown(int file, unsigned owner, unsigned id) { (void)file; (void)owner; (void)id; return 0; }

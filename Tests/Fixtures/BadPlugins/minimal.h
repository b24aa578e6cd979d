/* The smallest adapter that loads. A bad plugin defines the one thing that it does wrong before it includes this. */
#include "feedhost/adapter.h"

#ifndef BROKER
#define BROKER "minimal"
#endif
#ifndef MAGIC
#define MAGIC FH_MAGIC
#endif
#ifndef MAJOR
#define MAJOR FH_ABI_MAJOR
#endif
#ifndef MIN_HOST_MINOR
#define MIN_HOST_MINOR 0
#endif
#ifndef LAYOUT
#define LAYOUT FH_LAYOUT
#endif
#ifndef DESCRIPTORS
#define DESCRIPTORS descriptors
#endif
#ifndef ON_CREATE /* runs in create() */
#define ON_CREATE
#endif
#ifndef ON_ENTRY /* runs in the entry function */
#define ON_ENTRY
#endif
#ifndef ENTRY_NAME
#define ENTRY_NAME feedhost_adapter_entry_v1
#endif

struct fh_instance {
    int nothing;
};
static struct fh_instance only;

static fh_status create(const fh_create_params *params, fh_instance **out) {
    (void)params;
    ON_CREATE;
    *out = &only;
    return FH_OK;
}
static fh_status connect(fh_instance *instance, uint64_t generation, const fh_credentials *credentials) {
    (void)instance, (void)generation, (void)credentials;
    return FH_E_UNSUPPORTED;
}
static fh_status subscribe(fh_instance *instance, uint64_t request, const fh_sub_request *wishes, uint32_t count) {
    (void)instance, (void)request, (void)wishes, (void)count;
    return FH_E_UNSUPPORTED;
}
static fh_status disconnect(fh_instance *instance, uint64_t generation) {
    (void)instance, (void)generation;
    return FH_OK;
}
static void destroy(fh_instance *instance) { (void)instance; }
static const void *extension(fh_instance *instance, const char *id) {
    (void)instance, (void)id;
    return NULL;
}

static const char *const exchanges[] = {"NSE", NULL};
static const fh_capabilities capabilities = {
    .size = sizeof capabilities, .modes = FH_MODE_LTP, .flags = FH_CAP_ANY_SYMBOL, .exchanges = exchanges};
static const fh_descriptor descriptor = {
    .size = sizeof descriptor, .id = "io.feedhost.bad." BROKER, .name = BROKER, .vendor = "Feedhost tests",
    .version = "1.0.0", .broker = BROKER, .capabilities = &capabilities};
static const fh_descriptor *const descriptors[] __attribute__((unused)) = {&descriptor, NULL};

static const fh_adapter *adapter(const char *id) {
    static const fh_adapter table = {.size = sizeof table, .create = create, .connect = connect, .subscribe = subscribe,
                                     .unsubscribe = subscribe, .disconnect = disconnect, .destroy = destroy,
                                     .extension = extension};
    (void)id;
    return &table;
}

FH_EXPORT const fh_entry *ENTRY_NAME(void) {
    static const fh_entry entry = {.magic = MAGIC, .size = sizeof entry, .abi_major = MAJOR, .abi_minor = FH_ABI_MINOR,
                                   .min_host_minor = MIN_HOST_MINOR, .layout = LAYOUT, .descriptors = DESCRIPTORS,
                                   .adapter = adapter};
    ON_ENTRY;
    return &entry;
}

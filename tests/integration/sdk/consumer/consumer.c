/* The least that is a plugin file: a table of which only the head is filled. */
#include <vkhost/provider.h>

int not_exported(void);
int not_exported(void) { return 0; }

const vkp_plugin_table vkp_plugin = {
    .magic = VKP_MAGIC,
    .abi_major = VKP_ABI_MAJOR,
    .abi_minor = VKP_ABI_MINOR,
    .size = sizeof(vkp_plugin_table),
};

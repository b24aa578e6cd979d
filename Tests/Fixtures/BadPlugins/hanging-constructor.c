#include <unistd.h>
#include "minimal.h"

__attribute__((constructor)) static void hang(void) {
    for (;;) pause();
}

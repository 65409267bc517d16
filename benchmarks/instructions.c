/* Counts the instructions of a program under QEMU's user mode: total so far, at each call of a marker system call.
 *
 *     gcc -O2 -shared -fPIC -o instructions.so benchmarks/instructions.c
 *     qemu-aarch64 -cpu cortex-a72 -plugin ./instructions.so,marker=173,out=FILE PROGRAM
 *
 * The marker is the number of getppid: 173 on aarch64, 64 on arm. Threads are counted apart, so no atomics are needed.
 * Name a processor: for the default one OpenBLAS takes a kernel that no small board has. QEMU must be built with
 * plugins; a static one is not. benchmarks/board_root.sh does all this.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* QEMU's header for plugins comes with its source only; this is what is used of it, version 1. */
#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))
enum { QEMU_PLUGIN_VERSION = 1, QEMU_PLUGIN_CB_NO_REGS = 0 };
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, void (*on_run)(unsigned int, void *), int flags,
                                          void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*on_translated)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id,
                                          void (*on_call)(qemu_plugin_id_t, unsigned int, int64_t, uint64_t, uint64_t,
                                                          uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));

#define THREADS_MAX 1024

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* A cache line each. */
static struct {
    uint64_t instructions;
    char padding[56];
} threads[THREADS_MAX];

static int64_t marker;
static FILE *out;

static void on_block_run(unsigned int thread, void *instructions)
{
    threads[thread % THREADS_MAX].instructions += (uintptr_t)instructions;
}

static void on_block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_block_run, QEMU_PLUGIN_CB_NO_REGS,
                                         (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void on_system_call(qemu_plugin_id_t id, unsigned int thread, int64_t number, uint64_t a1, uint64_t a2,
                           uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    uint64_t total = 0;

    if (number != marker)
        return;
    for (int i = 0; i < THREADS_MAX; i++)
        total += threads[i].instructions;
    fprintf(out, "%" PRIu64 "\n", total);
    fflush(out);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "marker=", 7))
            marker = atoll(argv[i] + 7);
        else if (!strncmp(argv[i], "out=", 4))
            out = fopen(argv[i] + 4, "w");
    }
    if (!marker || !out) {
        fprintf(stderr, "instructions: needs marker=NUMBER,out=FILE\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_block_translated);
    qemu_plugin_register_vcpu_syscall_cb(id, on_system_call);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * GICv2 (Arm IHI 0048) and GICv3 (Arm IHI 0069) in their non-secure, single-CPU use. Registers of both versions that
 * do the same thing lie at the same offsets; in version 3 those of INTIDs below 32 are in this CPU's redistributor.
 */
#include "aarch64/cpu.h"
#include "gic.h"
#include "platform.h"

#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_IGROUPR 0x080
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xc00
#define GICD_IROUTER 0x6000
#define CTLR_ENABLE_V2 1
#define CTLR_ENABLE_V3 0x12         /* affinity routing, group 1 */
#define CTLR_WRITE_PENDING (1u << 31)

#define GICC_CTLR 0x00
#define GICC_PMR 0x04
#define GICC_IAR 0x0c
#define GICC_EOIR 0x10

#define GICR_CTLR 0x0000
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI_FRAME 0x10000
#define GICR_STRIDE 0x20000
#define GICR_WRITE_PENDING (1 << 3)
#define WAKER_SLEEP (1 << 1)
#define WAKER_ASLEEP (1 << 2)
#define TYPER_VLPIS (1 << 1)
#define TYPER_LAST (1 << 4)
#define MPIDR_AFFINITY 0xff00ffffffull

#define ICC_PMR_EL1 s3_0_c4_c6_0
#define ICC_IAR1_EL1 s3_0_c12_c12_0
#define ICC_EOIR1_EL1 s3_0_c12_c12_1
#define ICC_CTLR_EL1 s3_0_c12_c12_4
#define ICC_SRE_EL1 s3_0_c12_c12_5
#define ICC_IGRPEN1_EL1 s3_0_c12_c12_7

#define PRIORITY 0xa0
#define PRIORITY_MASK 0xf0
#define PRIVATE 32

static uintptr_t redistributor;
static unsigned intids;

/* Where the registers of an interrupt are. */
static uintptr_t bank(unsigned intid) {
    return platform.gic_version == 3 && intid < PRIVATE ? redistributor + GICR_SGI_FRAME : platform.gic_distributor;
}

static void write_bit(unsigned registers, unsigned intid) {
    io_write32(bank(intid) + registers + intid / 32 * 4, 1u << (intid % 32));
}

static void write_byte(unsigned registers, unsigned intid, uint8_t value) {
    *(volatile uint8_t *)(bank(intid) + registers + intid) = value;
}

/* Version 3 takes its time: until a disabled interrupt is out of every queue it may still be signalled. */
static void await_disabled(unsigned intid) {
    if (platform.gic_version == 3 && intid < PRIVATE) {
        while (io_read32(redistributor + GICR_CTLR) & GICR_WRITE_PENDING) {
        }
    } else if (platform.gic_version == 3) {
        while (io_read32(platform.gic_distributor + GICD_CTLR) & CTLR_WRITE_PENDING) {
        }
    }
    dsb(sy);
}

static uintptr_t find_redistributor(void) {
    uint64_t mpidr = sysreg_read(mpidr_el1) & MPIDR_AFFINITY;
    uint64_t affinity = (mpidr >> 32) << 24 | (mpidr & 0xffffff);
    uintptr_t at = platform.gic_cpu;
    while (at < platform.gic_cpu + platform.gic_cpu_size) {
        uint64_t typer = io_read64(at + GICR_TYPER);
        if (typer >> 32 == affinity || (typer & TYPER_LAST)) {
            break;
        }
        at += typer & TYPER_VLPIS ? 2 * GICR_STRIDE : GICR_STRIDE;
    }
    return at;
}

static void start_v2(void) {
    io_write32(platform.gic_distributor + GICD_CTLR, CTLR_ENABLE_V2);
    io_write32(platform.gic_cpu + GICC_PMR, PRIORITY_MASK);
    io_write32(platform.gic_cpu + GICC_CTLR, CTLR_ENABLE_V2);
}

static void start_v3(void) {
    redistributor = find_redistributor();
    io_write32(redistributor + GICR_WAKER, io_read32(redistributor + GICR_WAKER) & ~WAKER_SLEEP);
    while (io_read32(redistributor + GICR_WAKER) & WAKER_ASLEEP) {
    }
    io_write32(platform.gic_distributor + GICD_CTLR, CTLR_ENABLE_V3);
    while (io_read32(platform.gic_distributor + GICD_CTLR) & CTLR_WRITE_PENDING) {
    }
    sysreg_write(ICC_SRE_EL1, 1);
    isb();
    sysreg_write(ICC_PMR_EL1, PRIORITY_MASK);
    sysreg_write(ICC_CTLR_EL1, 0);
    sysreg_write(ICC_IGRPEN1_EL1, 1);
    isb();
}

/* What a boot loader left enabled raises interrupts that nobody here would ever silence. */
static void disable_all(void) {
    for (unsigned intid = 0; intid < intids; intid += 32) {
        io_write32(bank(intid) + GICD_ICENABLER + intid / 32 * 4, ~0u);
        await_disabled(intid);
    }
}

void gic_start(void) {
    intids = 32 * ((io_read32(platform.gic_distributor + GICD_TYPER) & 31) + 1);
    if (platform.gic_version == 3) {
        start_v3();
    } else {
        start_v2();
    }
    disable_all();
}

static void route(unsigned intid) {
    if (platform.gic_version == 3) {
        uintptr_t group = bank(intid) + GICD_IGROUPR + intid / 32 * 4;
        io_write32(group, io_read32(group) | 1u << (intid % 32));
        if (intid >= PRIVATE) {
            io_write64(platform.gic_distributor + GICD_IROUTER + 8 * intid, sysreg_read(mpidr_el1) & MPIDR_AFFINITY);
        }
    } else if (intid >= PRIVATE) {
        /* The target byte of a private interrupt reads as the mask of this CPU. */
        write_byte(GICD_ITARGETSR, intid, io_read32(platform.gic_distributor + GICD_ITARGETSR) & 0xff);
    }
}

bool gic_enable(unsigned intid, bool edge) {
    if (intid < 16 || intid >= intids) {
        return false;
    }
    gic_disable(intid);
    uintptr_t config = bank(intid) + GICD_ICFGR + intid / 16 * 4;
    uint32_t edge_bit = 2u << (intid % 16 * 2);
    io_write32(config, edge ? io_read32(config) | edge_bit : io_read32(config) & ~edge_bit);
    write_byte(GICD_IPRIORITYR, intid, PRIORITY);
    route(intid);
    dsb(sy);
    write_bit(GICD_ISENABLER, intid);
    return true;
}

void gic_disable(unsigned intid) {
    if (intid >= 16 && intid < intids) {
        write_bit(GICD_ICENABLER, intid);
        await_disabled(intid);
    }
}

unsigned gic_acknowledge(void) {
    unsigned intid = platform.gic_version == 3 ? sysreg_read(ICC_IAR1_EL1) & 0xffffff
        : io_read32(platform.gic_cpu + GICC_IAR) & 0x3ff;
    dsb(sy);    /* what the interrupt announces must not be read before the acknowledge */
    return intid;
}

void gic_end(unsigned intid) {
    if (platform.gic_version == 3) {
        sysreg_write(ICC_EOIR1_EL1, intid);
        isb();
    } else {
        io_write32(platform.gic_cpu + GICC_EOIR, intid);
    }
}

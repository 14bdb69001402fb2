/* SPDX-License-Identifier: GPL-2.0-only */
/* Generated from firmware/virtio/layout.py by host_tools/trapless/layout_header.py. */
#ifndef TRAPLESS_LAYOUT_H
#define TRAPLESS_LAYOUT_H

#define TPL_PAGE_SIZE                0x1000

/* Standard virtio-mmio registers (virtio 1.3, 4.2.2). A batch entry's offset is one of these. */
#define TPL_REG_MAGIC_VALUE          0x000
#define TPL_REG_VERSION              0x004
#define TPL_REG_DEVICE_ID            0x008
#define TPL_REG_VENDOR_ID            0x00c
#define TPL_REG_DEVICE_FEATURES      0x010
#define TPL_REG_DEVICE_FEATURES_SEL  0x014
#define TPL_REG_DRIVER_FEATURES      0x020
#define TPL_REG_DRIVER_FEATURES_SEL  0x024
#define TPL_REG_QUEUE_SEL            0x030
#define TPL_REG_QUEUE_SIZE_MAX       0x034
#define TPL_REG_QUEUE_SIZE           0x038
#define TPL_REG_QUEUE_READY          0x044
#define TPL_REG_QUEUE_NOTIFY         0x050
#define TPL_REG_INTERRUPT_STATUS     0x060
#define TPL_REG_INTERRUPT_ACK        0x064
#define TPL_REG_STATUS               0x070
#define TPL_REG_QUEUE_DESC_LOW       0x080
#define TPL_REG_QUEUE_DESC_HIGH      0x084
#define TPL_REG_QUEUE_DRIVER_LOW     0x090
#define TPL_REG_QUEUE_DRIVER_HIGH    0x094
#define TPL_REG_QUEUE_DEVICE_LOW     0x0a0
#define TPL_REG_QUEUE_DEVICE_HIGH    0x0a4
#define TPL_REG_SHM_SEL              0x0ac
#define TPL_REG_SHM_LEN_LOW          0x0b0
#define TPL_REG_SHM_LEN_HIGH         0x0b4
#define TPL_REG_SHM_BASE_LOW         0x0b8
#define TPL_REG_SHM_BASE_HIGH        0x0bc
#define TPL_REG_QUEUE_RESET          0x0c0
#define TPL_REG_CONFIG_GENERATION    0x0fc
#define TPL_REG_CONFIG               0x100
#define TPL_CONFIG_SIZE              0x700

/* Registers of the link, beyond those of a virtio device: entries of batches in the page of its first device. */
#define TPL_REG_POOL_GIVE            0x860
#define TPL_REG_POOL_TAKE            0x868
#define TPL_REG_POOL_ANSWER          0x870

#define TPL_MMIO_MAGIC               0x74726976
#define TPL_MMIO_VERSION             2

/* Device page, written by the backend only. */
#define TPL_DEV_MAGIC                0x800
#define TPL_DEV_VERSION              0x804
#define TPL_DEV_CAPABILITIES         0x808
#define TPL_DEV_NUM_QUEUES           0x80c
#define TPL_DEV_FEATURES             0x820
#define TPL_DEV_BE_EPOCH             0x840
#define TPL_DEV_HEARTBEAT            0x844
#define TPL_DEV_HEARTBEAT_PERIOD_MS  0x848
#define TPL_DEV_ADVISED_TIMEOUT_MS   0x84c
#define TPL_DEV_POOL_TARGET          0x850
#define TPL_DEV_POOL_REQUEST         0x854
#define TPL_DEV_POOL_GIVEN           0x858
#define TPL_DEV_ACK                  0x880
#define TPL_DEV_ACK_FE_EPOCH         0x884
#define TPL_DEV_RESULT               0x888
#define TPL_DEV_RESULT_INDEX         0x88c
#define TPL_DEV_FE_LIVES             0x890
#define TPL_DEV_ATTACHES             0x894
#define TPL_DEV_FAILURES             0x898
#define TPL_DEV_USED_COUNT           0x8c0
#define TPL_DEV_CONFIG_COUNT         0x8c4
#define TPL_DEV_BE_SLEEP             0x8c8
#define TPL_DEV_ECHO_REPLY           0x8cc
#define TPL_DEV_QUEUES               0x900
#define TPL_DEV_QUEUE_STRIDE         16
#define TPL_DEV_QUEUE_SIZE_MAX       0
#define TPL_DEV_QUEUE_READY          4
#define TPL_DEV_QUEUE_RESET          8
#define TPL_DEV_SHM                  0xd00
#define TPL_DEV_SHM_STRIDE           16
#define TPL_DEV_SHM_LENGTH           0
#define TPL_DEV_SHM_BASE             8

/* Driver page, written by the frontend only. */
#define TPL_DRV_MAGIC                0x000
#define TPL_DRV_VERSION              0x004
#define TPL_DRV_REQ                  0x040
#define TPL_DRV_HEADER               0x080
#define TPL_DRV_TOKEN                0x080
#define TPL_DRV_FE_EPOCH             0x084
#define TPL_DRV_BE_EPOCH             0x088
#define TPL_DRV_COUNT                0x08c
#define TPL_DRV_LAYOUT               0x090
#define TPL_DRV_CRC                  0x094
#define TPL_DRV_HEADER_SIZE          24
#define TPL_DRV_KICK_SEQ             0x0c0
#define TPL_DRV_FE_SLEEP             0x0c4
#define TPL_DRV_HEARTBEAT            0x0c8
#define TPL_DRV_ECHO_REQUEST         0x0cc
#define TPL_DRV_RECOVERIES           0x0d0
#define TPL_DRV_RECOVERY_MS          0x0d4
#define TPL_DRV_ENTRIES              0x100
#define TPL_ENTRY_SIZE               16
#define TPL_ENTRIES_MAX              240

#define TPL_SYNC_MAGIC               0x534c5054
#define TPL_SYNC_VERSION             1
#define TPL_BATCH_LAYOUT             1
#define TPL_FEATURE_WORDS            8
#define TPL_QUEUES_MAX               64
#define TPL_SHM_MAX                  16
#define TPL_POOL_BLOCK_SHIFT         16

/* Capabilities (DEV_CAPABILITIES): what the backend's side of the link can do. */
#define TPL_CAP_HEARS_DOORBELL       0x1
#define TPL_CAP_RINGS_DOORBELL       0x2
#define TPL_CAP_ANY_SUBSET           0x4
#define TPL_CAP_HEARTBEAT            0x8
#define TPL_CAP_ECHO                 0x10
#define TPL_CAP_BALLOON              0x20

/* Results of a batch (DEV_RESULT). 0 is never success: it is what a scrubbed page holds. */
#define TPL_RESULT_NONE              0
#define TPL_RESULT_OK                1
#define TPL_RESULT_VETO              2
#define TPL_RESULT_NEEDS_RESET       3
#define TPL_RESULT_MALFORMED         4
#define TPL_RESULT_BAD_OFFSET        5
#define TPL_RESULT_BAD_LENGTH        6
#define TPL_RESULT_BAD_SELECTOR      7
#define TPL_RESULT_BAD_VALUE         8
#define TPL_RESULT_BAD_STATE         9

#endif /* TRAPLESS_LAYOUT_H */

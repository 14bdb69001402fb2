/* SPDX-License-Identifier: MIT */
/* libfdt includes it, and uses nothing of it in the files that are built here. */

/* SPDX-License-Identifier: MIT */
/* No extra interned strings; the build asks for the file. */

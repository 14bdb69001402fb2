# SPDX-License-Identifier: MIT
"""Platform descriptions. The backend's device tree names one for each SCMI device (`trapless,model`)."""

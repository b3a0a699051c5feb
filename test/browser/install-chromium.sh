#!/usr/bin/env bash
# Sees to it that test/browser finds a Chromium: Debian's chromium-headless-shell, by apt and as root, unless there is one.
set -euo pipefail

package=chromium-headless-shell
if command -v "$package"; then exit; fi
apt=(apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
export DEBIAN_FRONTEND=noninteractive
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends "$package"
command -v "$package"

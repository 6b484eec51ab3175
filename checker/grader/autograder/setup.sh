#!/usr/bin/env bash
# Gradescope runs this once, as root, when the autograder is uploaded.
set -euo pipefail
apt-get update -qq
apt-get install -y -qq gcc curl ca-certificates
curl -fsSL "https://go.dev/dl/@GO@.linux-$(dpkg --print-architecture).tar.gz" | tar -C /usr/local -xz
cd /autograder/source/prokata
export PATH=/usr/local/go/bin:$PATH
go build -o bin/checker ./checker
# The standard library is compiled with the race detector once, not for each submission.
bin/checker check @KATA@ --untrusted --format gradescope > /dev/null || true

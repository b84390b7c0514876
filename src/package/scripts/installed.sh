# After the files are in place. $1: "first" or "upgrade".
systemd-sysusers telemetryd.conf || exit 1
# Folders only: on a machine that is not running systemd (an image being built) its own services make them at boot.
systemd-tmpfiles --create telemetryd.conf || true
is_running() { [ -d /run/systemd/system ]; }
if [ "$1" = first ]; then
  systemctl enable --quiet telemetryd.service || true
fi
if is_running; then
  systemctl daemon-reload || true
  if [ "$1" = first ]; then systemctl start telemetryd.service || true
  else systemctl try-restart telemetryd.service || true; fi
  # People's own daemons go on with the old program until they log in again, or restart it.
fi

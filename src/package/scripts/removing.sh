# Before the files go, for good: everything of ours stops, the daemons of people's own sessions too.
if [ -d /run/systemd/system ]; then
  systemctl disable --now --quiet telemetryd.service || true
  systemctl stop telemetryd-uploader.path telemetryd-uploader.service || true
  systemctl --global disable --quiet telemetryd.service || true
  for unit in $(systemctl list-units --plain --no-legend 'user@*.service' | sed -n 's/^user@\([0-9]*\)\.service .*/\1/p'); do
    systemctl --user --machine="$unit@.host" stop telemetryd.service telemetryd-uploader.path telemetryd-uploader.service || true
  done
else
  systemctl disable --quiet telemetryd.service || true
fi

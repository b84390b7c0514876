# After the files are gone.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  systemctl reset-failed 'telemetryd*' 2>/dev/null || true
fi

# Nothing of what was captured, agreed and configured is left, nor the account that owned it. What the daemons of
# people's own sessions recorded lies in their homes, and is theirs.
rm -rf /var/lib/telemetryd /run/telemetryd /etc/telemetryd
if getent passwd telemetryd >/dev/null; then userdel telemetryd >/dev/null 2>&1 || true; fi
for group in telemetryd telemetryd-admin; do
  if getent group "$group" >/dev/null; then groupdel "$group" >/dev/null 2>&1 || true; fi
done

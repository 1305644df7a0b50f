# What a host with Cockpit is to a browser, in namespaces of its own: `sh cockpit-host.sh PACKAGES LIBVIRT`, with the
# directory into which the packages are unpacked and the one with the daemon's sockets. It ends with the browser.
set -e
ip link set lo up
mount -t overlay overlay -o "ro,lowerdir=$1/usr:/usr" /usr
mount -t tmpfs none /run
mkdir -p /run/libvirt /run/dbus/services /run/home /run/user
mount --bind "$2" /run/libvirt
cat > /run/dbus/bus.conf <<END
<busconfig><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<servicedir>/run/dbus/services</servicedir><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
END
cat > /run/dbus/services/org.libvirt.service <<END
[D-BUS Service]
Name=org.libvirt
Exec=/usr/sbin/libvirt-dbus --system
END
unset DBUS_SESSION_BUS_ADDRESS
export HOME=/run/home XDG_RUNTIME_DIR=/run/user LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
dbus-daemon --config-file=/run/dbus/bus.conf --fork 3<&- 4>&-
# Who connects is root at once, without a login: nobody else is in this network.
/usr/lib/cockpit/cockpit-ws --no-tls --address 127.0.0.1 --port 9090 --local-session=cockpit-bridge 3<&- 4>&- &
/usr/lib/chromium/chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
  --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage \
  --user-data-dir=/run/home/chromium --window-size=1280,720 --remote-debugging-pipe

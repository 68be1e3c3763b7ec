# Shared by the guests: the required tools, and kernels from Debian's archive. To be sourced, with $work
# set, and $name for messages; $arch for a processor of another kind (amd64, the default, or arm64).
# shellcheck shell=bash

arch=${arch:-amd64}
case $arch in
  amd64)
    target=x86_64-unknown-linux-musl
    qemu=qemu-system-x86_64
    emulator=qemu-system-x86
    # Of the guest's terminal, and of the port that carries what a test prints.
    console=ttyS0
    port=ttyS1
    ;;
  arm64)
    target=aarch64-unknown-linux-musl
    qemu=qemu-system-aarch64
    emulator=qemu-system-arm
    console=ttyAMA0
    port=ttyS0
    ;;
esac

impossible() {
  echo "$name: $*" >&2
  exit 3
}

# All missing packages, in one line.
packages=
need() { [ -e "$1" ] || command -v "$1" > /dev/null || packages+=" $2"; }
need "$qemu" "$emulator"
need busybox busybox-static
need cpio cpio
need mke2fs e2fsprogs
need xz xz-utils
need zstd zstd
need dpkg-deb dpkg
need apt-get apt
need /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
if [ -n "$packages" ]; then
  impossible "missing:$packages (as root: apt-get install --no-install-recommends$packages)"
fi

if [ -z "${built:-}" ] && ! rustc --target "$target" --print target-libdir | xargs test -d; then
  rustup target add "$target" || impossible "missing: the Rust target $target"
fi

# Options of QEMU: KVM where the processor supports it. With kvm_pvm, which needs no such processor, /dev/kvm opens as
# well, but the kernel of an ordinary guest is interpreted: slower than emulation. Emulated by QEMU 7.2, guests die
# at random unless -cx16: it corrupts flags after cmpxchg16b.
processor=(-accel tcg -cpu max,-cx16)
serial=(-serial chardev:c1)
if [ "$arch" = arm64 ]; then
  # Pointers are signed by a cheap function: the architected one is emulated instruction by instruction.
  processor=(-accel tcg -cpu "max,pauth-impdef=on" -M virt)
  # shellcheck disable=SC2034
  serial=(-device "pci-serial,chardev=c1")
elif [ -r /dev/kvm ] && [ -w /dev/kvm ] && { [ -e /sys/module/kvm_intel ] || [ -e /sys/module/kvm_amd ]; }; then
  # shellcheck disable=SC2034
  processor=(-accel kvm -cpu host)
fi

apt_dir=$work/apt
apt_with() {
  local tool=$1
  shift
  "$tool" -o Dir::Etc::sourcelist="$apt_dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::Lists="$apt_dir/lists" -o Dir::Cache="$apt_dir/cache" \
    -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
    -o Acquire::Languages=none -o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}
archive_read=
read_archive() {
  [ -z "$archive_read" ] || return 0
  mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
  # The Debian mirror that this machine uses, if it uses one.
  local site
  site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2> /dev/null \
    | grep '/debian/\?$' | sort -u | head -1 || true)
  for suite in bullseye bookworm bookworm-backports trixie trixie-backports; do
    echo "deb [arch=$arch signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
      "${site:-http://deb.debian.org/debian} $suite main"
  done > "$apt_dir/sources.list"
  if ! apt_with apt-get -qq update; then
    # The oldest release leaves the archive one day.
    sed -i '/ bullseye /d' "$apt_dir/sources.list"
    apt_with apt-get -qq update || impossible "Debian's archive cannot be read"
  fi
  archive_read=yes
}

# The uncompressed kernel boots a second faster. A compressed image works too.
unpack_kernel() {
  local image=$1 bare=$2 form magic at
  # It is bare already.
  if [ "$arch" = arm64 ]; then cp "$image" "$bare"; return; fi
  for form in '\xfd7zXZ\x00 xz -dc --single-stream' '\x28\xb5\x2f\xfd zstd -dcq' '\x1f\x8b\x08 gzip -dc'; do
    magic=${form%% *}
    for at in $(LC_ALL=C grep -aboP "$magic" "$image" | cut -d: -f1 | head -4); do
      tail -c +$((at + 1)) "$image" | ${form#* } > "$bare" 2> /dev/null || true
      [ "$(head -c 4 "$bare" | tail -c 3)" = ELF ] && return 0
    done
  done
  cp "$image" "$bare"
}

# get_busybox: prints the path of a static busybox for the guest.
get_busybox() {
  if [ "$arch" = amd64 ]; then command -v busybox; return; fi
  local dir=$work/busybox
  if [ ! -e "$dir/usr/bin/busybox" ]; then
    read_archive
    mkdir -p "$dir"
    (cd "$dir" && apt_with apt-get -qq download busybox-static) || impossible "busybox-static cannot be fetched"
    dpkg-deb -x "$dir"/*.deb "$dir"
    [ -e "$dir/usr/bin/busybox" ] || ln -s ../../bin/busybox "$dir/usr/bin/busybox"
  fi
  echo "$dir/usr/bin/busybox"
}

# get_kernel SERIES: creates $work/SERIES/vmlinux and the modules that swap and a disk need. A series that ends in -16k
# has pages of 16 KiB (arm64).
get_kernel() {
  local series=$1 dir=$work/$1 wanted package parts module flavour=cloud-$arch
  [ -e "$dir/done" ] && return 0
  read_archive
  case $series in *-16k) flavour=$arch-16k ;; esac
  series=${series%-16k}
  wanted=${series//./[.]}[.]
  [ "$series" = newest ] && wanted='[0-9]'
  package=$(apt_with apt-cache pkgnames "linux-image-" | grep -E "^linux-image-$wanted.*-$flavour$" | sort -V | tail -1)
  [ -n "$package" ] || impossible "Debian's archive has no kernel $series (any more)"
  # Newer kernels come in several packages; of older ones the archive no longer has the modules.
  parts=
  for part in binary modules; do
    part=${package/image/$part}
    if apt_with apt-cache policy "$part" | grep 'Candidate: [^(]' > /dev/null; then parts+=" $part"; fi
  done
  echo "$name: fetching $package"
  rm -rf "$dir"
  mkdir -p "$dir/tree" "$dir/modules"
  # shellcheck disable=SC2086
  (cd "$dir" && apt_with apt-get -qq download "$package" $parts) || impossible "$package cannot be fetched"
  for deb in "$dir"/*.deb; do dpkg-deb -x "$deb" "$dir/tree"; done
  unpack_kernel "$(find "$dir/tree" -name 'vmlinuz*' -type f | head -1)" "$dir/vmlinux"
  find "$dir/tree" -regextype posix-extended -type f -regex '.*/(zram|zsmalloc|lz4[a-z0-9_]*|lzo[a-z0-9_-]*|zstd_compress|842_[a-z]*|virtio|virtio_ring|virtio_pci[a-z_]*|virtio_blk|ext4|jbd2|mbcache|crc16|crc32c[a-z_-]*|libcrc32c)\.ko.*' \
    | while read -r module; do
      case $module in
        *.xz) xz -dc "$module" ;;
        *.zst) zstd -dcq "$module" ;;
        *) cat "$module" ;;
      esac > "$dir/modules/$(basename "${module%.ko*}").ko"
    done
  rm -rf "$dir/tree" "$dir"/*.deb
  touch "$dir/done"
}

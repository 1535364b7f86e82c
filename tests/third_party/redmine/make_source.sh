#!/bin/sh
# Makes Redmine's source from Debian's package, without installing it; run as root on a Debian 13 machine.
# make_source.sh OVERLAY DESTINATION
set -eu

overlay=$(readlink -f -- "$1")
destination=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

# The package, and those of the JavaScript files that Debian replaced by links.
cd "$work"
chmod 0755 "$work"
apt-get -qq update
apt-get -qq -o APT::Sandbox::User=root download redmine libjs-chart.js libjs-jquery libjs-jquery-ui libjs-raphael ruby-jquery-rails
for package in *.deb; do dpkg-deb -x "$package" "$work/root"; done

mkdir -p "$destination"
cd "$work/root/usr/share/redmine"
rm -r instances Gemfile.lock config/database.yml bin/redmine-instances templates
for link in app/assets/javascripts/*; do
    if [ -L "$link" ]; then cp --remove-destination -- "$(readlink -f -- "$link")" "$link"; fi
done
sed -i "s|^Dir\['/usr/share/redmine/[^']*'\]|Dir[File.join(__dir__, 'config/database.yml')]|" Gemfile
cp -R . "$destination"
cp -R "$overlay/." "$destination"
links=$(find "$destination" -type l)
[ -z "$links" ] || { echo "links are left: $links" >&2; exit 1; }

# The assets are compiled here: nothing can be written into a release once it is on its machine. Debian has
# neither all of Redmine's gems for development and tests nor a need for them: a Gemfile without these groups.
packages=$(sed -n '/^debian_packages:/,/^[a-z]*: /s/^  - //p' "$destination/release.yml")
# shellcheck disable=SC2086
apt-get -qq --no-install-recommends install ruby $packages >/dev/null
cd "$destination"
sed '/^group :\(development\|test\)/,/^end/d' Gemfile >Gemfile.build
export BUNDLE_GEMFILE="$destination/Gemfile.build" RAILS_ENV=production SECRET_KEY_BASE=build
bundle lock --local >/dev/null
bin/rails assets:precompile >/dev/null
rm -rf Gemfile.build Gemfile.build.lock tmp log

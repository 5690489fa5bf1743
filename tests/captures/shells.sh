# What people and jobs do at a shell, recorded as shells.scap.gz: the README beside it says how.
mkdir -p work/var/log && cd work || exit 1
printf '127.0.0.1 localhost\n10.0.0.7 shop\n' > hosts
seq 400 > numbers
cat hosts hosts | grep shop | wc -l
sort -r numbers | head -n 3
cat /no/such/file
ls /no/such/directory
cd var
echo 'job begun' >> log/app.log
echo 'error: no disk' >> log/app.log
echo 'warning: half of a disk' >> log/app.log
cd ..
dd if=/dev/zero of=large bs=64k count=16 conv=fsync status=none
dd if=/dev/zero of=large bs=256k count=4 oflag=sync status=none
setpriv --reuid=33 --regid=33 --clear-groups sh -c 'cat /etc/shadow; touch /usr/bin/odd; id -u'
bash --noprofile -l -c 'uname -s; cd /tmp; ls hosts'
mv numbers counted
chmod 600 counted
ln -s counted link
rm -r large link
sleep 0.4 &
kill $!
wait

# Spans a job tells of itself, recorded as tracers.scap.gz: the README beside it says how.
for job in 1 2; do
    echo ">:$job:job:step=$job:" > /dev/null
    for part in copy check; do
        echo ">:$job:job.$part::" > /dev/null
        sleep 0.05
        echo "<:$job:job.$part::" > /dev/null
    done
    echo "<:$job:job::" > /dev/null
done

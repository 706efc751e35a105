#!/bin/sh
# Makes sample.webm, the clip of `?source=file&sample=1`, out of nothing but arithmetic: colours that drift, a ball that
# crosses the picture once every two seconds, the test picture of ffmpeg with its running time in a corner, and a tone
# that beeps once a second. Nobody holds a right in it. Needs ffmpeg (`apt-get install ffmpeg`); made with 5.1.
#
# VP8 and Opus, since every browser that makes calls plays them. 16 s, whole loops of everything that moves.
set -eu
cd "$(dirname "$0")"

ffmpeg -hide_banner -loglevel error -y \
  -f lavfi -i "gradients=size=640x360:rate=30:duration=16:speed=0.008:seed=7:nb_colors=4:c0=0x102a43:c1=0x2f6f8f:c2=0x7fb7a3:c3=0xe0a458" \
  -f lavfi -i "testsrc2=size=192x108:rate=30:duration=16" \
  -f lavfi -i "color=white:size=64x64:rate=30:duration=16,format=yuva420p,geq=lum='235':cb=128:cr=128:a='if(lte(hypot(X-31.5,Y-31.5),30),255,0)'" \
  -f lavfi -i "sine=frequency=220:beep_factor=4:duration=16:sample_rate=48000" \
  -filter_complex "[0][2]overlay=x='288+288*sin(PI*t)':y='148+96*cos(2*PI*t)'[ball];[ball][1]overlay=x=432:y=16,format=yuv420p[picture];[3]volume=0.6[sound]" \
  -map "[picture]" -map "[sound]" \
  -c:v libvpx -b:v 150k -crf 24 -deadline best -cpu-used 0 -g 60 -auto-alt-ref 1 -lag-in-frames 16 \
  -c:a libopus -b:a 24k -ac 1 \
  -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1 \
  sample.webm

  ;; +XADDRESS="<address>",... gives each as it is to stand on its piece: one space between words, none at the ends,
  ;; and "str." written out. Part of no meter: an example of what is asked on the way to one (M36).
  ;; A text is made at 131072 before its size is known.
  (global $to (mut i32) (i32.const 0))

  (func $write (param $octet i32)
    (i32.store8 (global.get $to) (local.get $octet))
    (global.set $to (i32.add (global.get $to) (i32.const 1))))

  ;; The octet written so many before; 0 where there is none.
  (func $written (param $before i32) (result i32)
    (local.set $before (i32.sub (global.get $to) (local.get $before)))
    (if (i32.lt_u (local.get $before) (i32.const 131072)) (then (return (i32.const 0))))
    (i32.load8_u (local.get $before)))

  (func $is_street (result i32)
    (i32.and
      (i32.eq (i32.or (call $written (i32.const 3)) (i32.const 32)) (i32.const 115))
      (i32.and
        (i32.eq (call $written (i32.const 2)) (i32.const 116))
        (i32.eq (call $written (i32.const 1)) (i32.const 114)))))

  (func $cleanse (param $octet i32)
    (if (i32.le_u (local.get $octet) (i32.const 32))
      (then
        (if (i32.gt_u (call $written (i32.const 1)) (i32.const 32)) (then (call $write (i32.const 32))))
        (return)))
    (if (i32.and (i32.eq (local.get $octet) (i32.const 46)) (call $is_street))
      (then  ;; "aße"
        (call $write (i32.const 0x61)) (call $write (i32.const 0xc3))
        (call $write (i32.const 0x9f)) (call $write (i32.const 0x65))
        (return)))
    (call $write (local.get $octet)))

  (func $address (local $end i32)
    (global.set $to (i32.const 131072))
    (local.set $end (call $text))
    (local.set $end (global.get $at))
    (if (i32.or (global.get $is_wrong) (i32.gt_u (local.get $end) (global.get $end)))
      (then (global.set $is_wrong (i32.const 1)) (return)))
    (global.set $at (i32.sub (local.get $end) (i32.wrap_i64 (global.get $argument))))
    (block $ended (loop $more
      (br_if $ended (i32.ge_u (global.get $at) (local.get $end)))
      (call $cleanse (call $octet))
      (br $more)))
    (if (i32.eq (call $written (i32.const 1)) (i32.const 32))
      (then (global.set $to (i32.sub (global.get $to) (i32.const 1)))))
    (call $put_text (i32.const 131072) (i32.sub (global.get $to) (i32.const 131072))))

  (func (export "fob_call") (param $command i32) (param $in i32) (param $size i32) (result i64) (local $count i32)
    (global.set $at (local.get $in))
    (global.set $end (i32.add (local.get $in) (local.get $size)))
    (call $head)
    (local.set $count (i32.wrap_i64 (global.get $argument)))
    (if (i32.or
          (i32.ne (global.get $major) (i32.const 4))
          (i32.gt_u (i32.sub (local.get $count) (i32.const 1)) (i32.const 63)))
      (then (return (i64.const 0))))
    ;; What is written out grows to less than twice its size, and an answer has at most 32,768 octets.
    (if (i32.gt_u (local.get $size) (i32.const 18000)) (then (return (i64.const 0))))
    (call $put_head (i32.const 4) (local.get $count))
    (loop $more
      (call $address)
      (if (global.get $is_wrong) (then (return (i64.const 0))))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $more (local.get $count)))
    (call $answer (i32.const 8192)))

  ;; +XRATE=<grams>,"<service>","<zone>" gives cents and currency.
  ;; The table is the data component `postage-table`: lines "service zone grams cents", the first that fits counts.
  (data (i32.const 0) "postage-tableEUR")

  (func $is_space (param $octet i32) (result i32)
    (i32.or (i32.eq (local.get $octet) (i32.const 32)) (i32.eq (local.get $octet) (i32.const 10))))

  ;; A field that is this word; $at is behind its separator then, and behind any other field too.
  (func $is_field (param $word i32) (param $size i32) (result i32) (local $begin i32) (local $length i32)
    (local.set $begin (global.get $at))
    (block $ended (loop $more
      (br_if $ended (call $is_space (call $octet)))
      (br_if $ended (global.get $is_wrong))
      (br $more)))
    (local.set $length (i32.sub (i32.sub (global.get $at) (local.get $begin)) (i32.const 1)))
    (if (i32.ne (local.get $length) (local.get $size)) (then (return (i32.const 0))))
    (call $is_same (local.get $begin) (local.get $word) (local.get $size)))

  (func $decimal (result i32) (local $value i32) (local $octet i32)
    (block $ended (loop $more
      (local.set $octet (call $octet))
      (br_if $ended (call $is_space (local.get $octet)))
      (br_if $ended (global.get $is_wrong))
      (if (i32.ge_u (i32.sub (local.get $octet) (i32.const 48)) (i32.const 10))
        (then (global.set $is_wrong (i32.const 1))))
      (local.set $value
        (i32.add (i32.mul (local.get $value) (i32.const 10)) (i32.sub (local.get $octet) (i32.const 48))))
      (br $more)))
    (local.get $value))

  (func (export "fob_start") (result i32)
    ;; Without a table there is nothing to calculate with.
    (i32.le_s (call $data_size (i32.const 0) (i32.const 13)) (i32.const 0)))

  (func (export "fob_call") (param $command i32) (param $in i32) (param $size i32) (result i64)
    (local $grams i64) (local $service i32) (local $service_size i32) (local $zone i32) (local $zone_size i32)
    (local $fits i32) (local $cents i32)
    (if (i32.eqz (call $begin (local.get $in) (local.get $size) (i64.const 3))) (then (return (i64.const 0))))
    (local.set $grams (call $number))
    (local.set $service (call $text))
    (local.set $service_size (i32.wrap_i64 (global.get $argument)))
    (local.set $zone (call $text))
    (local.set $zone_size (i32.wrap_i64 (global.get $argument)))
    (if (global.get $is_wrong) (then (return (i64.const 0))))
    (global.set $at (i32.const 131072))
    (global.set $end (i32.add (i32.const 131072) (call $load (i32.const 0) (i32.const 13))))
    (loop $line
      (if (i32.ge_u (global.get $at) (global.get $end)) (then (return (i64.const 0))))
      (local.set $fits (call $is_field (local.get $service) (local.get $service_size)))
      (local.set $fits (i32.and (local.get $fits) (call $is_field (local.get $zone) (local.get $zone_size))))
      (local.set $fits
        (i32.and (local.get $fits) (i64.le_u (local.get $grams) (i64.extend_i32_u (call $decimal)))))
      (local.set $cents (call $decimal))
      (br_if $line (i32.eqz (local.get $fits))))
    (call $put_head (i32.const 4) (i32.const 2))
    (call $put_head (i32.const 0) (local.get $cents))
    (call $put_text (i32.const 13) (i32.const 3))
    (call $answer (i32.const 8192)))

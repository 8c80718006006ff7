  ;; +XINDICIUM=<cents>,"<date>","<origin>" gives a picture (SVG) of where amount, date, origin and slogan stand.
  ;; The slogan is the data component `slogan-picture`, an SVG group.
  (data (i32.const 0) "slogan-picture")
  (data (i32.const 64) "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 520 130\" role=\"img\">")
  (data (i32.const 192) "<rect x=\"1\" y=\"1\" width=\"518\" height=\"128\" fill=\"#fff\" stroke=\"#222\"/><g transform=\"translate(16 18)\">")
  (data (i32.const 384) "</g><text x=\"500\" y=\"52\" font-family=\"sans-serif\" font-size=\"30\" text-anchor=\"end\">EUR ")
  (data (i32.const 512) "</text><text x=\"500\" y=\"84\" font-family=\"sans-serif\" font-size=\"15\" text-anchor=\"end\">")
  (data (i32.const 640) "</text><text x=\"500\" y=\"108\" font-family=\"sans-serif\" font-size=\"15\" text-anchor=\"end\">")
  (data (i32.const 768) "</text></svg>")
  (data (i32.const 800) "&lt;&gt;&amp;&#39;&#34;")

  ;; A constant that ends with a zero octet.
  (func $put_constant (param $from i32)
    (loop $more
      (if (i32.load8_u (local.get $from))
        (then
          (call $put (i32.load8_u (local.get $from)))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (br $more)))))

  ;; A text of the caller's: what means something to XML is written as text.
  (func $put_escaped (param $from i32) (param $size i32) (local $octet i32)
    (loop $more
      (if (local.get $size)
        (then
          (local.set $octet (i32.load8_u (local.get $from)))
          (block $done
            (if (i32.eq (local.get $octet) (i32.const 60)) (then (call $put_octets (i32.const 800) (i32.const 4)) (br $done)))
            (if (i32.eq (local.get $octet) (i32.const 62)) (then (call $put_octets (i32.const 804) (i32.const 4)) (br $done)))
            (if (i32.eq (local.get $octet) (i32.const 38)) (then (call $put_octets (i32.const 808) (i32.const 5)) (br $done)))
            (if (i32.eq (local.get $octet) (i32.const 39)) (then (call $put_octets (i32.const 813) (i32.const 5)) (br $done)))
            (if (i32.eq (local.get $octet) (i32.const 34)) (then (call $put_octets (i32.const 818) (i32.const 5)) (br $done)))
            (call $put (local.get $octet)))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (local.set $size (i32.sub (local.get $size) (i32.const 1)))
          (br $more)))))

  (func $put_decimal (param $value i32)
    (if (i32.ge_u (local.get $value) (i32.const 10)) (then (call $put_decimal (i32.div_u (local.get $value) (i32.const 10)))))
    (call $put (i32.add (i32.rem_u (local.get $value) (i32.const 10)) (i32.const 48))))

  (func $put_amount (param $cents i32)
    (call $put_decimal (i32.div_u (local.get $cents) (i32.const 100)))
    (call $put (i32.const 46))
    (call $put (i32.add (i32.div_u (i32.rem_u (local.get $cents) (i32.const 100)) (i32.const 10)) (i32.const 48)))
    (call $put (i32.add (i32.rem_u (local.get $cents) (i32.const 10)) (i32.const 48))))

  (func (export "fob_start") (result i32)
    (i32.le_s (call $data_size (i32.const 0) (i32.const 14)) (i32.const 0)))

  (func (export "fob_call") (param $command i32) (param $in i32) (param $size i32) (result i64)
    (local $cents i64) (local $date i32) (local $date_size i32) (local $origin i32) (local $origin_size i32)
    (local $begin i32)
    (if (i32.eqz (call $begin (local.get $in) (local.get $size) (i64.const 3))) (then (return (i64.const 0))))
    (local.set $cents (call $number))
    (if (i64.gt_u (local.get $cents) (i64.const 99999999)) (then (return (i64.const 0))))
    (local.set $date (call $text))
    (local.set $date_size (i32.wrap_i64 (global.get $argument)))
    (local.set $origin (call $text))
    (local.set $origin_size (i32.wrap_i64 (global.get $argument)))
    (if (i32.or (global.get $is_wrong)
          (i32.or (i32.gt_u (local.get $date_size) (i32.const 32)) (i32.gt_u (local.get $origin_size) (i32.const 64))))
      (then (return (i64.const 0))))
    ;; The picture first, behind room for its head: an array of one, and a text whose length has two octets.
    (global.set $out (i32.const 8196))
    (call $put_constant (i32.const 64))
    (call $put_constant (i32.const 192))
    (call $put_octets (i32.const 131072) (call $load (i32.const 0) (i32.const 14)))
    (call $put_constant (i32.const 384))
    (call $put_amount (i32.wrap_i64 (local.get $cents)))
    (call $put_constant (i32.const 512))
    (call $put_escaped (local.get $date) (local.get $date_size))
    (call $put_constant (i32.const 640))
    (call $put_escaped (local.get $origin) (local.get $origin_size))
    (call $put_constant (i32.const 768))
    (local.set $begin (i32.sub (global.get $out) (i32.const 8196)))
    (i32.store8 (i32.const 8192) (i32.const 0x81))
    (i32.store8 (i32.const 8193) (i32.const 0x79))
    (i32.store8 (i32.const 8194) (i32.shr_u (local.get $begin) (i32.const 8)))
    (i32.store8 (i32.const 8195) (local.get $begin))
    (call $answer (i32.const 8192)))

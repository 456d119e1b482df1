site_gallery(
    "Deep belief network",
    f"Two bars from noise: two stacked RBMs, fine-tuned, the top one trained again; temperature {TAU:g}.",
    refitted,
    real,
    66,
    ("Deep belief network", "Two bars of a held-out chorale, on 8ths"),
)
site_round("Deep belief network (lesson 13)", refitted[1], real[7], 66)
site_round("Deep belief network, one bar given (lesson 13)", completed[30], real[30], 66)

"""What was measured of each real dataset: what its content is, what is wrong with it, what it costs. Light.

``mmbench data check`` says when a finding here is no longer true, or one is missing; minutes are those of
the committed leaderboards (``python docs/make/minutes.py``).
"""

FINGERPRINTS = {
    "avmnist": "a641b812a9da9fa718bf94d7952fb9fb794d635424f339ca2f4af15da43948cd",
    "spoken-digits": "87ae0d9a87531c5fdf5c5a1af3e9242edfec9824d49d3d5ea3dd6983f9501231",
    "handwritten": "a8417a52bc2f27778cdd8304018987d41a276dd7d73856a1285da0db5b6a1934",
    "rosmap": "0e15f433a092326c468b6d8ab9f257cf7fb4b752c4d8551ccaeaae18f19b8a21",
    "wikipedia": "e55eaf776628c86ec08d1b395b2e6fa8e0c267f7321c59a83cdb066f602ed58d",
    "houses": "f240c64d9c2298f0a8395d8643abdbb404344bcb22774ed2c5c5435448d0a6d6",
    "mosi": "26db2cfc849231dcbc9b4217cd324c523234dfdadd46b32c370520ab282fa10f",
    "mosi-dialogue": "df23670ddb3131196126d755f80c4b1937bb7126ab72afab7361c938a7541c57",
    "hapt": "450a6f2d231d146a19cbbe57e550751b931965cda75dae94208e6e080d62aab6",
    "hapt-auth": "3150ee80155ca2496d9ee40e4f10d7c7cc8f5512ac1e484b4b736e97578d6974",
    "utd-mhad": "cf37768de8cf90884575777a6989271eb484c9e49788e45213b40766e58d9c9a",
}

FINDINGS: dict[str, tuple[str, ...]] = {
    "spoken-digits": (
        "1203 rows of train are equal to an earlier row of train in modality 'image' (class agrees)",
        "3 rows of validation are equal to an earlier row of validation in modality 'image' (class agrees)",
        "1 row of test is equal to an earlier row of test in modality 'image' (class agrees)",
    ),
    "handwritten": (
        "1 row of test is equal to a row of train in every modality (class agrees)",
        "31 rows of test are equal to a row of train in modality 'morphology' (class agrees in 1)",
        "1 row of validation is equal to a row of train in every modality (class agrees)",
        "18 rows of validation are equal to a row of train in modality 'morphology' (class differs)",
        "9 rows of test are equal to a row of validation in modality 'morphology' (class differs)",
        "4 rows of train are equal to an earlier row of train in every modality (class agrees)",
        "48 rows of train are equal to an earlier row of train in modality 'morphology' (class agrees in 3)",
        "4 rows of validation are equal to an earlier row of validation in modality 'morphology' (class differs)",
        "2 rows of test are equal to an earlier row of test in modality 'morphology' (class differs)",
    ),
    "wikipedia": (
        "3 rows of test are equal to a row of train in modality 'image' (class agrees in 2)",
        "4 rows of validation are equal to a row of train in modality 'image' (class agrees in 3)",
        "3 rows of train are equal to an earlier row of train in modality 'image' (class agrees)",
    ),
    "houses": (
        "1 row of test is equal to a row of train in modality 'frontal' (target agrees)",
        "1 row of test is equal to a row of train in modality 'bathroom' (target agrees)",
        "1 row of test is equal to a row of train in modality 'kitchen' (target agrees)",
        "13 rows of test are equal to a row of train in modality 'tabular' (target agrees in 1)",
        "1 row of validation is equal to a row of train in modality 'frontal' (target differs)",
        "8 rows of validation are equal to a row of train in modality 'tabular' (target agrees in 1)",
        "10 rows of test are equal to a row of validation in modality 'tabular' (target differs)",
        "1 row of train is equal to an earlier row of train in every modality (target agrees)",
        "27 rows of train are equal to an earlier row of train in modality 'tabular' (target agrees in 2)",
        "1 row of validation is equal to an earlier row of validation in modality 'tabular' (target differs)",
        "1 row of test is equal to an earlier row of test in modality 'frontal' (target differs)",
        "7 rows of test are equal to an earlier row of test in modality 'tabular' (target differs)",
    ),
    "mosi": (
        "2 rows of train are equal to an earlier row of train in modality 'text' (class agrees)",
        "3 rows of train are equal to an earlier row of train in modality 'video' (class agrees in 2)",
        "1 of 73 features of modality 'audio' is constant in train",
        "32 of 100 features of modality 'video' are constant in train",
        "class frequencies of train and test differ by 0.13 (total variation distance)",
    ),
    "mosi-dialogue": (
        "895 rows of train share a run of 4 frames with another row of train in modality 'text'",
        "245 rows of validation share a run of 4 frames with another row of validation in modality 'text'",
        "602 rows of test share a run of 4 frames with another row of test in modality 'text'",
        "898 rows of train share a run of 4 frames with another row of train in modality 'audio'",
        "245 rows of validation share a run of 4 frames with another row of validation in modality 'audio'",
        "602 rows of test share a run of 4 frames with another row of test in modality 'audio'",
        "895 rows of train share a run of 4 frames with another row of train in modality 'video'",
        "245 rows of validation share a run of 4 frames with another row of validation in modality 'video'",
        "602 rows of test share a run of 4 frames with another row of test in modality 'video'",
        "1 of 74 features of modality 'audio' is constant in train",
        "32 of 101 features of modality 'video' are constant in train",
        "class frequencies of train and test differ by 0.13 (total variation distance)",
    ),
    "hapt": (
        "1374 rows of validation share a run of 32 frames with another row of validation in modality 'accelerometer'",
        "2996 rows of test share a run of 32 frames with another row of test in modality 'accelerometer'",
        "1374 rows of validation share a run of 32 frames with another row of validation in modality 'gyroscope'",
        "2996 rows of test share a run of 32 frames with another row of test in modality 'gyroscope'",
    ),
    "hapt-auth": (
        "6 of 14 groups of test stand in train too, with 239 rows of test",
        "6 of 10 groups of validation stand in train too, with 230 rows of validation",
        "6 of 14 groups of test stand in validation too, with 239 rows of test",
        "1433 rows of train share a run of 32 frames with another row of train in modality 'accelerometer'",
        "493 rows of validation share a run of 32 frames with another row of validation in modality 'accelerometer'",
        "900 rows of test share a run of 32 frames with another row of test in modality 'accelerometer'",
        "1433 rows of train share a run of 32 frames with another row of train in modality 'gyroscope'",
        "493 rows of validation share a run of 32 frames with another row of validation in modality 'gyroscope'",
        "900 rows of test share a run of 32 frames with another row of test in modality 'gyroscope'",
        "frequencies of a label of train and test differ by 0.09 (total variation distance)",
    ),
    "utd-mhad": ("838 of 1200 features of modality 'depth' are constant in train",),
}

MINUTES: dict[str, float] = {
    "avmnist": 2.29,
    "spoken-digits": 0.59,
    "handwritten": 0.16,
    "rosmap": 0.02,
    "wikipedia": 0.05,
    "houses": 0.68,
    "mosi": 0.04,
    "mosi-dialogue": 0.17,
    "hapt": 1.75,
    "hapt-auth": 1.26,
    "utd-mhad": 3.2,
}

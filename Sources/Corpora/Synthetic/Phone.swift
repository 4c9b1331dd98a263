/// What the vocal tract does during a stretch of speech, for an adult male tract.
///
/// Formants of vowels: Peterson and Barney, *Control methods used in a study of the vowels*, JASA 24, 1952 (mean of
/// men).
struct Phone: Sendable {
    /// F1, F2, F3 in Hz; `nil` takes the neighbours' (as `h` does).
    var formants: (Double, Double, Double)?
    /// Duration in ms at normal rate, in stressed syllables.
    var duration: Double
    /// Amplitudes relative to a vowel's: voice, breath through the whole tract, and friction at a constriction.
    var voice = 0.0
    var breath = 0.0
    var friction = 0.0
    /// Where friction has its peak and how wide it is, in Hz.
    var frictionPeak = 4000.0
    var frictionWidth = 2000.0
    /// Bandwidth of F1 in Hz; losses in the nose widen it.
    var width = 70.0

    func lasting(_ factor: Double) -> Phone {
        var phone = self
        phone.duration *= factor
        return phone
    }
}

extension Phone {
    static func vowel(_ f1: Double, _ f2: Double, _ f3: Double, _ duration: Double = 120) -> Phone {
        Phone(formants: (f1, f2, f3), duration: duration, voice: 1)
    }

    /// Vowels as sequences of targets; diphthongs have two.
    static let vowels: [[Phone]] = [
        [.vowel(270, 2290, 3010)], [.vowel(390, 1990, 2550, 90)], [.vowel(530, 1840, 2480, 100)],
        [.vowel(660, 1720, 2410, 130)], [.vowel(730, 1090, 2440, 140)], [.vowel(570, 840, 2410, 140)],
        [.vowel(440, 1020, 2240, 90)], [.vowel(300, 870, 2240)], [.vowel(640, 1190, 2390, 100)],
        [.vowel(490, 1350, 1690)],
        [.vowel(710, 1150, 2440, 90), .vowel(390, 1990, 2550, 70)],
        [.vowel(530, 1840, 2480, 80), .vowel(330, 2150, 2700, 70)],
        [.vowel(710, 1150, 2440, 90), .vowel(400, 950, 2250, 70)],
        [.vowel(570, 900, 2400, 80), .vowel(350, 900, 2250, 70)],
        [.vowel(570, 840, 2410, 90), .vowel(390, 1990, 2550, 70)],
    ]
    /// The vowel of weak syllables.
    static let schwa = [vowel(500, 1450, 2450, 65)]

    static func sonorant(_ f1: Double, _ f2: Double, _ f3: Double, _ duration: Double, voice: Double, width: Double)
        -> Phone
    {
        Phone(formants: (f1, f2, f3), duration: duration, voice: voice, width: width)
    }

    /// m n ŋ, l r w j.
    static let sonorants: [[Phone]] = [
        [.sonorant(270, 950, 2200, 70, voice: 0.5, width: 130)],
        [.sonorant(280, 1550, 2500, 65, voice: 0.5, width: 130)],
        [.sonorant(280, 2000, 2650, 75, voice: 0.45, width: 130)],
        [.sonorant(360, 1150, 2700, 65, voice: 0.7, width: 90)],
        [.sonorant(330, 1150, 1600, 65, voice: 0.7, width: 90)],
        [.sonorant(300, 680, 2250, 65, voice: 0.75, width: 80)],
        [.sonorant(280, 2200, 2950, 60, voice: 0.75, width: 80)],
    ]

    static func fricative(
        _ f2: Double, peak: Double, width: Double, friction: Double, voice: Double = 0, _ duration: Double
    ) -> [Phone] {
        [
            Phone(
                formants: (320, f2, 2550), duration: duration, voice: voice, friction: friction, frictionPeak: peak,
                frictionWidth: width)
        ]
    }

    /// s ʃ f θ z ʒ v ð h.
    static let fricatives: [[Phone]] = [
        fricative(1700, peak: 6000, width: 2200, friction: 0.26, 110),
        fricative(1850, peak: 3300, width: 1500, friction: 0.30, 110),
        fricative(950, peak: 4200, width: 6000, friction: 0.07, 95),
        fricative(1450, peak: 5200, width: 5500, friction: 0.06, 90),
        fricative(1700, peak: 6000, width: 2200, friction: 0.14, voice: 0.25, 80),
        fricative(1850, peak: 3300, width: 1500, friction: 0.16, voice: 0.25, 80),
        fricative(950, peak: 4000, width: 6000, friction: 0.04, voice: 0.35, 65),
        fricative(1450, peak: 5200, width: 5500, friction: 0.03, voice: 0.4, 55),
        [Phone(formants: nil, duration: 65, breath: 0.5, width: 200)],
    ]

    /// Closure, burst, and, if voiceless, aspiration.
    static func plosive(_ f2: Double, peak: Double, width: Double, burst: Double, voiced: Bool) -> [Phone] {
        let place = (230.0, f2, 2500.0)
        let closure = Phone(formants: place, duration: voiced ? 55 : 70, voice: voiced ? 0.12 : 0)
        let release = Phone(
            formants: (350, f2, 2500), duration: 14, voice: voiced ? 0.2 : 0, friction: burst, frictionPeak: peak,
            frictionWidth: width)
        let breath = Phone(formants: nil, duration: 35, breath: 0.35, width: 200)
        return voiced ? [closure, release] : [closure, release, breath]
    }

    /// p t k b d g, and the affricates.
    static let plosives: [[Phone]] = [
        plosive(900, peak: 1200, width: 1500, burst: 0.35, voiced: false),
        plosive(1750, peak: 4500, width: 2500, burst: 0.5, voiced: false),
        plosive(1950, peak: 2100, width: 900, burst: 0.45, voiced: false),
        plosive(900, peak: 1000, width: 1500, burst: 0.2, voiced: true),
        plosive(1750, peak: 4000, width: 2500, burst: 0.3, voiced: true),
        plosive(1950, peak: 2000, width: 900, burst: 0.3, voiced: true),
        Array(plosive(1800, peak: 4000, width: 2000, burst: 0.4, voiced: false).prefix(2))
            + fricative(1850, peak: 3400, width: 1500, friction: 0.28, 60),
    ]
}

/** @file English words whose lemma no rule finds. */

/** Rows of a lemma and its forms, as a table from form to lemma. The first row that has a form decides. */
function table(rows: string): ReadonlyMap<string, string> {
  const lemmas = new Map<string, string>();
  for (const row of rows.split(";")) {
    const [lemma = "", ...forms] = row.trim().split(/\s+/);
    for (const form of forms) if (!lemmas.has(form)) lemmas.set(form, lemma);
  }
  return lemmas;
}

/** Strong verbs, and weak ones with an ending that the rules would read otherwise. */
export const irregularVerbs = table(`
be am is are was were been being; have has had having; do does did done; go goes went gone;
arise arose arisen; awake awoke awoken; bear bore borne; beat beaten; become became; begin began begun; bend bent;
bet bets; bind bound; bite bit bitten; bleed bled; blow blew blown; break broke broken; breed bred; bring brought;
build built; burn burnt; buy bought; catch caught; choose chose chosen; cling clung; come came; creep crept; deal dealt;
dig dug; draw drew drawn; dream dreamt; drink drank drunk; drive drove driven; dwell dwelt; eat ate eaten; fall fell fallen;
feed fed; feel felt; fight fought; find found; flee fled; fling flung; fly flew flown; forbid forbade forbidden;
foresee foresaw foreseen; forget forgot forgotten; forgive forgave forgiven; forsake forsook forsaken; freeze froze frozen;
get got gotten; give gave given; grind ground; grow grew grown; hang hung; hear heard; hide hid hidden; hold held;
keep kept; kneel knelt; know knew known; lay laid; lead led; lean leant; leap leapt; learn learnt; leave left; lend lent;
lie lay lain lying lied; light lit; lose lost; make made; mean meant; meet met; mislead misled; mistake mistook mistaken;
mow mown; outgrow outgrew outgrown; overcome overcame; overtake overtook overtaken; overthrow overthrew overthrown;
pay paid; prove proven; rebuild rebuilt; redo redid redone; repay repaid; ride rode ridden; ring rang rung; rise rose risen;
run ran; saw sawn; say said; see saw seen; seek sought; sell sold; send sent; sew sewn; shake shook shaken; shine shone;
shoot shot; show shown; shrink shrank shrunk; sing sang sung singing; sink sank sunk; sit sat; slay slew slain; sleep slept;
slide slid; sling slung; smell smelt; sow sown; speak spoke spoken; speed sped; spell spelt; spend spent; spill spilt;
spin spun; spit spat; spoil spoilt; spring sprang sprung; stand stood; steal stole stolen; stick stuck; sting stung;
stink stank stunk; stride strode stridden; strike struck stricken; string strung; strive strove striven; swear swore sworn;
sweep swept; swell swollen; swim swam swum; swing swung; take took taken; teach taught; tear tore torn; tell told;
think thought; throw threw thrown; undergo underwent undergone; understand understood; undertake undertook undertaken;
undo undid undone; uphold upheld; wake woke woken; wear wore worn; weave wove woven; weep wept; win won; wind wound;
withdraw withdrew withdrawn; withhold withheld; withstand withstood; wring wrung; write wrote written; rewrite rewrote rewritten;
overwrite overwrote overwritten; override overrode overridden; oversee oversaw overseen; outrun outran; retell retold;
resell resold; rethink rethought; retake retook retaken; reset resetting; unwind unwound; misunderstand misunderstood;
die dying died; hie hying hied; eye eying eyed; underlie underlying underlain underlay; overlie overlying overlain; tie tying tied; vie vying vied; untie untying untied unties; belie belying belied; dye dyeing dyed; singe singeing; ache aches; cache caches; toe toes; canoe canoes;
age aged ageing; queue queueing; ski skiing skied; taxi taxiing; agree agreed agreeing; free freed; guarantee guaranteed; referee refereed;
decree decreed; disagree disagreed; owe owed owing; awe awed; add added adding; err erred erring; ebb ebbed ebbing;
egg egged egging; purr purred purring; butt butted butting; boycott boycotted boycotting; quiz quizzed quizzing quizzes;
bus bused busing; focus focused focusing; refocus refocused refocusing; bias biased biasing; canvas canvased canvasing;
gas gassed gassing gasses; sync synced syncing; sync synched synching; picnic picnicked picnicking; mimic mimicked mimicking; panic panicked panicking;
traffic trafficked trafficking; frolic frolicked frolicking; debug debugging debugged; log logged logging; install installed installing;
reinstall reinstalled reinstalling; uninstall uninstalled uninstalling; recall recalled recalling; miscall miscalled miscalling; foretell foretelling foretold; enroll enrolled enrolling;
overhaul overhauled overhauling; forestall forestalled forestalling; befall befell befallen befalling; appall appalled appalling;
ruin ruined ruining; toe toed toeing; hoe hoed hoeing; shoe shod shoeing shoes; canoe canoed canoeing; echo echoed echoing echoes; veto vetoed vetoing`);

/** Plurals that are older than the rule, or foreign, and singulars in -s and -se that it would miss. */
export const irregularNouns = table(`
child children; man men; woman women; foot feet; tooth teeth; goose geese; mouse mice; louse lice; ox oxen; person people;
penny pence; die dice; brother brethren; leaf leaves; life lives; knife knives; wife wives; half halves; calf calves; wolf wolves;
shelf shelves; bookshelf bookshelves; self selves; elf elves; thief thieves; loaf loaves; scarf scarves; hoof hooves; wharf wharves;
sheaf sheaves; midwife midwives; housewife housewives; afterlife afterlives; analysis analyses; basis bases; crisis crises;
thesis theses; hypothesis hypotheses; synthesis syntheses; parenthesis parentheses; diagnosis diagnoses; axis axes; oasis oases;
emphasis emphases; prosthesis prostheses; metamorphosis metamorphoses; neurosis neuroses; ellipsis ellipses; catharsis catharses;
metastasis metastases; testis testes; genesis geneses; criterion criteria; phenomenon phenomena; automaton automata; datum data;
medium media; bacterium bacteria; curriculum curricula; memorandum memoranda; stratum strata; erratum errata; addendum addenda;
spectrum spectra; quantum quanta; symposium symposia; millennium millennia; ovum ova; corpus corpora; genus genera; opus opera;
stimulus stimuli; nucleus nuclei; cactus cacti; fungus fungi; radius radii; alumnus alumni; locus loci; focus foci; syllabus syllabi;
bacillus bacilli; terminus termini; torus tori; modulus moduli; calculus calculi; index indices; matrix matrices; vertex vertices;
appendix appendices; vortex vortices; codex codices; apex apices; simplex simplices; formula formulae; larva larvae; antenna antennae; alga algae;
vertebra vertebrae; alumna alumnae; nebula nebulae; supernova supernovae; schema schemata; stigma stigmata; bureau bureaux; plateau plateaux;
bus buses buss; gas gases; lens lenses; virus viruses; bonus bonuses; alias aliases; bias biases; atlas atlases; canvas canvases;
status statuses; iris irises; trellis trellises; pelvis pelvises; penis penises; clitoris clitorises; christmas christmases; quiz quizzes; passerby passersby;
shoe shoes; horseshoe horseshoes; toe toes; canoe canoes; foe foes; woe woes; hoe hoes; oboe oboes; doe does; tiptoe tiptoes; floe floes; aloe aloes; roe roes;
movie movies; cookie cookies; calorie calories; zombie zombies; rookie rookies; hippie hippies; brownie brownies; genie genies;
selfie selfies; prairie prairies; smoothie smoothies; hoodie hoodies; pixie pixies; sortie sorties; collie collies; bookie bookies;
junkie junkies; auntie aunties; birdie birdies; magpie magpies; eerie eeries; newbie newbies; walkie walkies; foodie foodies; freebie freebies; lingerie lingeries;
ache aches; headache headaches; heartache heartaches; toothache toothaches; cache caches; niche niches; psyche psyches; avalanche avalanches; creche creches; cliche cliches; moustache moustaches; quiche quiches; brioche brioches;
sheriff sheriffs`);

/** Comparison by other words, and comparatives that lose more than their ending. */
export const irregularAdjectives = table(`
good better best; bad worse worst; far farther farthest further furthest; old elder eldest;
free freer freest; true truer truest; blue bluer bluest; odd odder oddest; severe severer severest; remote remoter remotest; sly slyer slyest; dry drier driest; shy shyer shyest; wry wryer wryest; loose looser loosest;
able abler ablest; noble nobler noblest; simple simpler simplest; gentle gentler gentlest; humble humbler humblest; idle idler idlest; subtle subtler subtlest; ample ampler amplest;
feeble feebler feeblest; nimble nimbler nimblest; stable stabler stablest; supple suppler supplest; little littler littlest; clever cleverer cleverest; tender tenderer tenderest; bitter bitterer bitterest; narrow narrower narrowest`);

/** Words in -s, -ed and -ing that are lemmas themselves. */
export const unchanged: ReadonlySet<string> = new Set(
  `this thus plus yes as us its his hers ours yours theirs always perhaps besides towards afterwards backwards forwards upwards
  downwards inwards outwards sideways nowadays sometimes indoors outdoors overseas whereas versus per news series species
  means gallows barracks headquarters crossroads lens bus gas bias alias atlas canvas chaos cosmos christmas texas paris
  dallas athens kansas pancreas asbestos pathos ethos kudos rhinoceros thermos trousers scissors pyjamas pajamas thanks
  clothes diabetes rabies measles mumps billiards physics mathematics economics politics ethics athletics electronics
  genetics linguistics logistics robotics semantics optics aerobics acoustics gymnastics analytics kinetics pragmatics
  statistics thermodynamics informatics aesthetics mechanics dynamics graphics phonetics pediatrics tennis
  whilst ours amidst james charles thomas jesus moses dickens wales netherlands
  need speed seed feed weed deed greed creed reed steed breed bleed embed exceed succeed proceed indeed heed knead bed red shed
  sled wed fed led hundred sacred naked wicked kindred hatred beloved crooked rugged ragged jagged aged rabid biped moped infrared
  thing nothing something anything everything king ring sing spring string bring swing wing sling ping cling fling sting wring
  offspring evening morning ceiling during sibling darling sterling pudding viking lightning herring wedding shilling sibling
  earring icing inning plaything underling duckling gosling sapling seedling starling hireling yearling dumpling beijing wellbeing
  underwing upswing upbringing notwithstanding`.split(/\s+/),
);

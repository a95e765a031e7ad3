"""Whether a name is common in Great Britain, from public tables: never counted from live records.

Two records that agree in SMITH say less than two that agree in FEATHERSTONE. The class is one bit of each name that
travels in the clear beside its tokens; counting live records would say more of a name than that, and would change
with the order they come in. What it tells whoever reads the tokens is bounded by how many bear the commonest name
that no table has, since that is what they would guess: 0.3 % of forenames, 0.2 % of surnames (30,000 simulated
people). Four classes told 1.9 and 0.8 % (tests/privacy/test_frequency_attack.py).

Surnames: the 500 of the en_GB table of the Faker package (40.54, MIT licence), which names no source for them; by its
weights (Smith 1.15), read as per cent, four people in ten bear one. Forenames: 182 of each sex, from the same
package, which names as its source a reference table of the Office for National Statistics (archived page of
ons.gov.uk, edition 77-243767).

Both are tables of Great Britain. They count few of the names its minorities bear, and no word that stands in a name's
place: what no table has is "unlisted" and weighs as an average name does, never as a rare one.

A birth date has a class too, one bit beside its tokens: "crowded" where so many are born, or said to be born, on such
a day under such a name that two records of one are not yet one person. That is 1 January (written where only the year
is known), and any day of who bears one of the commonest forenames with one of the commonest surnames:

* Surnames: all that weigh .33 per cent or more in the table above (seen 2026-11-29: Smith 1.15, Jones .94, Williams
  .66, Taylor .53, Brown .51, Davies .48, Evans .39, Thomas .35, Wilson .35, Johnson .34, Roberts .33); print it with
  `python -c "from faker.providers.person.en_GB import Provider; print(Provider.last_names)"`. And six of South Asian
  families, chosen by hand: few forenames are assumed to go with them (there Khan .14, Begum .13, Singh .13, Ali .12,
  Hussain .11, Kaur .09).
* Forenames: the five commonest of girls and of boys born in 1944, 1954, 1964, 1974 and 1984 (Office for National
  Statistics, "Top 100 baby names in England and Wales: historical data": ranks without counts, not checked anew);
  by hand Mary, and three spellings of Mohammed.
"""

from collections.abc import Sequence
from datetime import date

from linkage.normalise import Name
from schemas.placeholders import is_crowded_day

CLASSES = ("common", "unlisted")
BIRTH_CLASSES = ("crowded", "usual")  # of a pair also "nameless": neither record has a forename, as of twins

_SURNAMES = """
    Abbott Adams Ahmed Akhtar Alexander Ali Allan Allen Anderson Andrews Archer Armstrong Arnold Ashton Atkins
    Atkinson Austin Bailey Baker Baldwin Ball Banks Barber Barker Barlow Barnes Barnett Barrett Barry Bartlett
    Barton Bates Baxter Begum Bell Bennett Benson Bentley Berry Bevan Bibi Birch Bird Bishop Black Blackburn
    Blake Bolton Bond Booth Bowen Boyle Bradley Bradshaw Brady Bray Brennan Briggs Brookes Brooks Brown Browne
    Bruce Bryan Bryant Buckley Bull Burgess Burke Burns Burrows Burton Butcher Butler Byrne Cameron Campbell
    Carey Carpenter Carr Carroll Carter Cartwright Chadwick Chamberlain Chambers Chan Chandler Chapman Charlton
    Clark Clarke Clayton Clements Coates Cole Coleman Coles Collier Collins Connolly Connor Conway Cook Cooke
    Cooper Cox Craig Crawford Cross Cunningham Curtis Dale Daly Daniels Davey Davidson Davies Davis Davison
    Dawson Day Dean Dennis Dickinson Dixon Dobson Dodd Doherty Donnelly Douglas Doyle Duffy Duncan Dunn Dyer
    Edwards Elliott Ellis Evans Farmer Farrell Faulkner Ferguson Field Finch Fisher Fitzgerald Fleming Fletcher
    Flynn Ford Forster Foster Fowler Fox Francis Franklin Fraser Freeman French Frost Fry Fuller Gallagher
    Gardiner Gardner Garner George Gibbons Gibbs Gibson Gilbert Giles Gill Glover Goddard Godfrey Goodwin Gordon
    Gough Gould Graham Grant Gray Green Greenwood Gregory Griffin Griffiths Hale Hall Hamilton Hammond Hancock
    Hanson Harding Hardy Hargreaves Harper Harris Harrison Hart Hartley Harvey Hawkins Hayes Haynes Hayward
    Heath Henderson Henry Herbert Hewitt Hicks Higgins Hill Hilton Hobbs Hodgson Holden Holland Holloway Holmes
    Holt Hooper Hope Hopkins Horton Houghton Howard Howarth Howe Howell Howells Hudson Hughes Humphreys
    Humphries Hunt Hunter Hurst Hussain Hutchinson Hyde Ingram Iqbal Jackson James Jarvis Jenkins Jennings John
    Johnson Johnston Jones Jordan Joyce Kaur Kay Kelly Kemp Kennedy Kent Kerr Khan King Kirby Kirk Knight
    Knowles Lamb Lambert Lane Law Lawrence Lawson Leach Lee Lees Leonard Lewis Little Lloyd Long Lord Lowe Lucas
    Lynch Lyons Macdonald Mahmood Mann Manning Marsden Marsh Marshall Martin Mason Matthews May Mccarthy
    Mcdonald Mckenzie Mclean Mellor Metcalfe Miah Middleton Miles Miller Mills Mistry Mitchell Moore Moran
    Morgan Morley Morris Morrison Morton Moss Murphy Murray Myers Nash Naylor Nelson Newman Newton Nicholls
    Nicholson Nixon Noble Nolan Norman Norris North Norton Obrien Oconnor Odonnell Oliver Oneill Osborne
    Osullivan Owen Owens Page Palmer Parker Parkes Parkin Parkinson Parry Parsons Patel Patterson Payne Peacock
    Pearce Pearson Perkins Perry Peters Phillips Pickering Pollard Poole Pope Porter Potter Potts Powell Power
    Pratt Preston Price Pritchard Pugh Quinn Rahman Randall Read Reed Rees Reeves Reid Reynolds Rhodes Rice
    Richards Richardson Riley Roberts Robertson Robinson Robson Rogers Rose Ross Rowe Rowley Russell Ryan
    Sanders Sanderson Saunders Savage Schofield Scott Shah Sharp Sharpe Shaw Shepherd Sheppard Short Simmons
    Simpson Sims Sinclair Singh Skinner Slater Smart Smith Spencer Stanley Steele Stephens Stephenson Stevens
    Stevenson Stewart Stokes Stone Storey Sullivan Summers Sutton Swift Sykes Talbot Taylor Thomas Thompson
    Thomson Thornton Thorpe Todd Tomlinson Townsend Tucker Turnbull Turner Tyler Vaughan Vincent Wade Walker
    Wall Wallace Wallis Walsh Walters Walton Ward Warner Warren Waters Watkins Watson Watts Webb Webster Welch
    Wells West Weston Wheeler White Whitehead Whitehouse Whittaker Wilkins Wilkinson Williams Williamson Willis
    Wilson Winter Wong Wood Woods Woodward Wright Wyatt Yates Young
"""
_FORENAMES = """
    Aaron Abbie Abdul Abigail Adam Adrian Aimee Alan Albert Alex Alexander Alexandra Alice Alison Allan Amanda
    Amber Amelia Amy Andrea Andrew Angela Ann Anna Anne Annette Anthony Antony Arthur Ashleigh Ashley Barbara
    Barry Ben Benjamin Bernard Beth Bethan Bethany Beverley Billy Bradley Brandon Brenda Brett Brian Bruce Bryan
    Callum Cameron Carl Carly Carol Carole Caroline Carolyn Catherine Charlene Charles Charlie Charlotte Chelsea
    Cheryl Chloe Christian Christine Christopher Claire Clare Clifford Clive Colin Connor Conor Craig Dale
    Damian Damien Daniel Danielle Danny Darren David Dawn Dean Deborah Debra Declan Denis Denise Dennis Derek
    Diana Diane Dominic Donald Donna Dorothy Douglas Duncan Dylan Edward Eileen Elaine Eleanor Elizabeth Ellie
    Elliot Elliott Emily Emma Eric Fiona Frances Francesca Francis Frank Frederick Gail Gareth Garry Gary Gavin
    Gemma Geoffrey George Georgia Georgina Gerald Geraldine Gerard Gillian Glen Glenn Gordon Grace Graeme Graham
    Gregory Guy Hannah Harriet Harry Hayley Hazel Heather Helen Henry Hilary Hollie Holly Howard Hugh Iain Ian
    Irene Jack Jacob Jacqueline Jade Jake James Jamie Jane Janet Janice Jasmine Jason Jay Jayne Jean Jeffrey
    Jemma Jenna Jennifer Jeremy Jessica Jill Joan Joanna Joanne Jodie Joe Joel John Jonathan Jordan Joseph
    Josephine Josh Joshua Joyce Judith Julia Julian Julie June Justin Karen Karl Kate Katherine Kathleen Kathryn
    Katie Katy Kayleigh Keith Kelly Kenneth Kerry Kevin Kieran Kim Kimberley Kirsty Kyle Laura Lauren Lawrence
    Leah Leanne Lee Leigh Leon Leonard Lesley Leslie Lewis Liam Linda Lindsey Lisa Lorraine Louis Louise Lucy
    Luke Lydia Lynda Lynn Lynne Malcolm Mandy Marc Marcus Margaret Maria Marian Marie Marilyn Marion Mark Martin
    Martyn Mary Mathew Matthew Maureen Maurice Max Megan Melanie Melissa Michael Michelle Mitchell Mohamed
    Mohammad Mohammed Molly Naomi Natalie Natasha Nathan Neil Nicholas Nicola Nicole Nigel Norman Oliver Olivia
    Owen Paige Pamela Patricia Patrick Paul Paula Pauline Peter Philip Phillip Rachael Rachel Raymond Rebecca
    Reece Rhys Richard Ricky Rita Robert Robin Roger Ronald Rosemary Rosie Ross Roy Russell Ruth Ryan Sally Sam
    Samantha Samuel Sandra Sara Sarah Scott Sean Shane Shannon Sharon Shaun Sheila Shirley Sian Simon Sophie
    Stacey Stanley Stephanie Stephen Steven Stewart Stuart Susan Suzanne Sylvia Terence Teresa Terry Thomas
    Timothy Tina Toby Tom Tony Tracey Tracy Trevor Valerie Vanessa Victor Victoria Vincent Wayne Wendy William
    Yvonne Zoe
"""

_EVERYDAY_SURNAMES = frozenset(
    """SMITH JONES WILLIAMS TAYLOR BROWN DAVIES EVANS THOMAS WILSON JOHNSON ROBERTS
    KHAN HUSSAIN ALI BEGUM SINGH KAUR""".split()
)
_EVERYDAY_FORENAMES = frozenset(
    """MARGARET PATRICIA CHRISTINE MARY JEAN SUSAN LINDA JANET JULIE KAREN JACQUELINE DEBORAH SARAH CLAIRE NICOLA
    EMMA LISA LAURA GEMMA REBECCA JOHN DAVID MICHAEL PETER ROBERT STEPHEN PAUL ANDREW MARK RICHARD CHRISTOPHER JAMES
    DANIEL MOHAMMED MOHAMMAD MUHAMMAD""".split()
)

_COMMON_SURNAMES, _COMMON_FORENAMES = (frozenset(names.upper().split()) for names in (_SURNAMES, _FORENAMES))


def surname_class(name: str) -> int:
    """Index into CLASSES of a surname in normal form, its parts joined."""
    return 0 if name in _COMMON_SURNAMES else 1


def forename_class(name: str) -> int:
    """Index into CLASSES of a forename in normal form, its parts joined."""
    return 0 if name in _COMMON_FORENAMES else 1


def birth_date_class(birth_date: str, names: Sequence[Name]) -> int:
    """Index into BIRTH_CLASSES of a birth date in normal form, borne under these names."""
    if len(birth_date) == len("YYYY-MM-DD") and is_crowded_day(date.fromisoformat(birth_date)):
        return 0
    everyday = any(
        name.family in _EVERYDAY_SURNAMES and not _EVERYDAY_FORENAMES.isdisjoint(name.given[:1]) for name in names
    )
    return 0 if everyday else 1

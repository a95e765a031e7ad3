"""How common a name is in Great Britain, in four classes, from public tables: never counted from live records.

Two records that agree in SMITH say less than two that agree in FEATHERSTONE. A class is two bits of each name
that travel in the clear beside its tokens; counting live records would say more of a name than that, and would
change with the order they come in. What the two bits tell whoever reads the tokens: guessing by class names 4.7 %
of surnames and 5.5 % of forenames, where guessing the commonest names 2.9 % and 2.8 % (12,000 simulated people).

Surnames: the 500 of the en_GB table of the Faker package (40.54, MIT licence), which names no source for them; its
weights (Smith 1.15) are read here as per cent of all people: commonest at 0.25 and above (8.9 % between them),
common at 0.10 (12.2 %), uncommon below (18.4 %), rare where the table has no such name (60.5 %).

Forenames: 182 of each sex, from the same package, which names as its source a reference table of the Office for
National Statistics (archived page of ons.gov.uk, edition 77-243767). It gives an order and no shares, read here
as rank: commonest the first 20 of each sex, common to the 80th, uncommon the rest.

Both are tables of Great Britain. They count few of the names its minorities bear, so such a name tends to be
"rare" here though many bear it where they live: the weights learnt on NHS numbers bear the difference, and the
report by ethnic group (linkage.subgroups) shows what is left of it.
"""

CLASSES = ("commonest", "common", "uncommon", "rare")

_SURNAMES = (
    """
    Smith Jones Williams Taylor Brown Davies Evans Thomas Wilson Johnson Roberts Robinson Thompson
    Wright Edwards Walker White Hughes Green Hall Harris Lewis
    """,
    """
    Clarke Jackson Patel Wood Martin Turner Cooper Hill Moore Morris Ward Baker Clark Harrison King Lee
    Allen James Morgan Phillips Scott Davis Parker Price Watson Bennett Griffiths Kelly Mitchell Young
    Bailey Bell Carter Collins Cook Richardson Shaw Cox Khan Marshall Miller Murphy Richards Adams
    Anderson Begum Ellis Foster Simpson Singh Wilkinson Ali Chapman Gray Hunt Mason Powell Rogers Webb
    Barnes Butler Campbell Holmes Hussain Knight Lloyd Matthews Mills Owen Palmer Ahmed Barker Dixon
    Fisher Fletcher Graham Harvey Jenkins Murray Pearson Russell Stevens
    """,
    """
    Andrews Brooks Day Elliott Ford Fox Gibson Howard Kaur Lawrence Payne Pearce Reynolds Saunders
    Stewart Walsh West Atkinson Ball Booth Bradley Burton Cole Dawson Gill Obrien Perry Rose Ryan
    Spencer Watts Armstrong Barrett Berry Carr Dunn Francis Grant Gregory Harding Hart Hawkins Hayes
    Holland Hudson Hunter Lowe Marsh Newman Newton Oliver Page Parsons Porter Reed Rees Reid Riley
    Robertson Stone Webster Wells Woods Bates Bird Bishop Burgess Burns Byrne Chambers Coleman Cooke
    Cross Curtis Dean Freeman Gardner Hamilton Harper Henderson Hodgson Hopkins Kennedy Lane Long
    Mccarthy Mcdonald Moss Nicholls Nicholson Oconnor Oneill Parry Robson Ross Shah Shepherd Sutton
    Walton Warren Watkins Williamson Yates Akhtar Arnold Austin Barber Barnett Barton Baxter Bibi Blake
    Bond Buckley Burke Clayton Cunningham Davidson Doyle Frost Gallagher George Gilbert Goodwin Gordon
    Greenwood Griffin Hammond Hardy Hewitt Higgins Holt Hutchinson Jennings Johnston Jordan Kemp Lambert
    Lynch Mann May Miles Nash Nelson Osborne Poole Potter Pritchard Quinn Read Rowe Sharp Slater
    Stephens Stephenson Stevenson Stokes Sullivan Thomson Tucker Wallace Walters Wheeler Whitehead
    Willis Woodward Abbott Alexander Archer Ashton Atkins Baldwin Banks Barlow Bartlett Bentley Birch
    Black Bowen Bradshaw Brennan Briggs Brookes Bryant Bull Burrows Carroll Cartwright Dale Daniels
    Davey Davison Dickinson Dobson Dodd Douglas Duffy Farrell Ferguson Field Flynn Fowler Fraser French
    Fuller Gibbs Glover Goddard Hancock Hartley Haynes Hayward Heath Hicks Holden Howe Howell Humphreys
    Jarvis John Kay Kent Kirby Kirk Knowles Lamb Lawson Little Lucas Macdonald Miah Middleton Morley
    Morrison Morton Norman Norris Osullivan Parkinson Patterson Perkins Peters Preston Pugh Reeves
    Rhodes Sanders Savage Schofield Short Simmons Skinner Smart Stanley Thornton Thorpe Todd Tomlinson
    Townsend Vaughan Wade Wall Warner Waters Weston Whittaker Wilkins Wong Allan Barry Benson Bevan
    Blackburn Bolton Boyle Brady Bray Browne Bruce Bryan Butcher Cameron Carey Carpenter Chadwick
    Chamberlain Chan Chandler Charlton Clements Coates Coles Collier Connolly Connor Conway Craig
    Crawford Daly Dennis Doherty Donnelly Duncan Dyer Farmer Faulkner Finch Fitzgerald Fleming Forster
    Franklin Fry Gardiner Garner Gibbons Giles Godfrey Gough Gould Hale Hanson Hargreaves Henry Herbert
    Hilton Hobbs Holloway Hooper Hope Horton Houghton Howarth Howells Humphries Hurst Hyde Ingram Iqbal
    Joyce Kerr Law Leach Lees Leonard Lord Lyons Mahmood Manning Marsden Mckenzie Mclean Mellor Metcalfe
    Mistry Moran Myers Naylor Nixon Noble Nolan North Norton Odonnell Owens Parkes Parkin Peacock
    Pickering Pollard Pope Potts Power Pratt Rahman Randall Rice Rowley Sanderson Sharpe Sheppard Sims
    Sinclair Steele Storey Summers Swift Sykes Talbot Turnbull Tyler Vincent Wallis Welch Whitehouse
    Winter Wyatt
    """,
)
_FORENAMES = (
    """
    Alan Andrew Christopher Daniel David Ian Jack James John Joshua Mark Matthew Michael Paul Peter
    Richard Robert Ryan Stephen Thomas Charlotte Christine Claire Deborah Emma Gemma Jacqueline Janet
    Jessica Julie Karen Laura Lauren Linda Lisa Margaret Nicola Rebecca Sarah Susan
    """,
    """
    Aaron Adam Adrian Alexander Anthony Ashley Barry Benjamin Bradley Brian Callum Carl Colin Connor
    Craig Darren Dean Derek Gareth Gary Geoffrey George Graham Harry Jacob Jake Jamie Jason Jonathan
    Jordan Joseph Keith Kenneth Kevin Kieran Lee Lewis Liam Luke Malcolm Martin Nathan Neil Nicholas
    Nigel Oliver Patrick Philip Raymond Samuel Scott Sean Simon Steven Stuart Terence Timothy Trevor
    Wayne William Abigail Alice Alison Amanda Amy Angela Ann Anne Barbara Bethany Carol Caroline
    Catherine Chloe Clare Danielle Dawn Denise Diane Donna Elaine Elizabeth Emily Gillian Hannah Hayley
    Helen Holly Jade Jane Jean Jennifer Joanne Kathleen Katie Kelly Leanne Lesley Louise Lucy Mary Megan
    Michelle Natalie Natasha Olivia Pamela Patricia Pauline Rachel Samantha Sandra Sharon Sophie
    Stephanie Tracey Tracy Valerie Victoria Wendy
    """,
    """
    Abdul Albert Alex Allan Antony Arthur Ben Bernard Billy Brandon Brett Bruce Bryan Cameron Charles
    Charlie Christian Clifford Clive Conor Dale Damian Damien Danny Declan Denis Dennis Dominic Donald
    Douglas Duncan Dylan Edward Elliot Elliott Eric Francis Frank Frederick Garry Gavin Gerald Gerard
    Glen Glenn Gordon Graeme Gregory Guy Henry Howard Hugh Iain Jay Jeffrey Jeremy Joe Joel Josh Julian
    Justin Karl Kyle Lawrence Leigh Leon Leonard Leslie Louis Marc Marcus Martyn Mathew Maurice Max
    Mitchell Mohamed Mohammad Mohammed Norman Owen Phillip Reece Rhys Ricky Robin Roger Ronald Ross Roy
    Russell Sam Shane Shaun Stanley Stewart Terry Toby Tom Tony Victor Vincent Abbie Aimee Alexandra
    Amber Amelia Andrea Anna Annette Ashleigh Beth Bethan Beverley Brenda Carly Carole Carolyn Charlene
    Chelsea Cheryl Debra Diana Dorothy Eileen Eleanor Ellie Fiona Frances Francesca Gail Georgia
    Georgina Geraldine Grace Harriet Hazel Heather Hilary Hollie Irene Janice Jasmine Jayne Jemma Jenna
    Jill Joan Joanna Jodie Josephine Joyce Judith Julia June Kate Katherine Kathryn Katy Kayleigh Kerry
    Kim Kimberley Kirsty Leah Lindsey Lorraine Lydia Lynda Lynn Lynne Mandy Maria Marian Marie Marilyn
    Marion Maureen Melanie Melissa Molly Naomi Nicole Paige Paula Rachael Rita Rosemary Rosie Ruth Sally
    Sara Shannon Sheila Shirley Sian Stacey Suzanne Sylvia Teresa Tina Vanessa Yvonne Zoe
    """,
)


def _classes(tables: tuple[str, ...]) -> dict[str, int]:
    return {name: rank for rank, names in reversed(list(enumerate(tables))) for name in names.upper().split()}


_SURNAME_CLASS, _FORENAME_CLASS = _classes(_SURNAMES), _classes(_FORENAMES)
_RARE = len(CLASSES) - 1


def surname_class(name: str) -> int:
    """Index into CLASSES of a surname in normal form, its parts joined."""
    return _SURNAME_CLASS.get(name, _RARE)


def forename_class(name: str) -> int:
    """Index into CLASSES of a forename in normal form, its parts joined."""
    return _FORENAME_CLASS.get(name, _RARE)

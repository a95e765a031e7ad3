"""Names the simulated people bear: commonest first, written for this simulator and counted from nobody.

Order in a list is its frequency rank; `population` draws by rank, so the head of each list repeats as common names do.
Variants and nicknames are what clerks write for one another; they never name two different people here.
"""

from collections.abc import Mapping

GROUPS = ("white", "south_asian", "black", "other")

SURNAMES: Mapping[str, tuple[str, ...]] = {
    "white": tuple(
        """Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White
        Roberts Green Hall Wood Jackson Clarke Harris Edwards Turner Cooper Hill Ward Moore Clark Baker
        Harrison King Morgan Lee Allen James Phillips Scott Watson Parker Bennett Young Cook Richardson Carter
        Shaw Price Bailey Collins Bell Marshall Miller Griffiths Cox Murphy Murray Adams Kelly Mitchell
        Richards Simpson Ellis Anderson Mason Chapman Webb Rogers Gray Hunt Foster Palmer Holmes Mills
        Campbell Powell Butler Barnes Knight Lloyd Fisher Stevens Jenkins Dixon Fletcher Reynolds Pearson
        Lewis Graham Ford Sutton Lawrence Gibson Andrews Harvey Elliott Hamilton Kennedy Hughes Walsh Payne
        Stewart Wells Reid Grant Saunders Burton Cole Hart Spencer Gardner Stone Matthews Pearce Woods Dean
        Barker Bird Newman Byrne Perry Hawkins Cross Berry Wheeler Lane Fox Day Nicholls Warren Lowe Osborne
        Bishop Barrett Porter Page Atkinson Chambers Rowe Francis Gilbert Barton Curtis Hudson Parsons Lambert
        Long Frost Fuller Whitehead Goodwin Bates Sharp Nash Franklin Norris Parry Hewitt Frost-Hale Rose
        Slater Goddard Tucker Bolton Hobbs Savage Crouch Pryor Root Cracknell Tyrell Radley Mayhew Thorogood
        Everett Raven Sewell Ketley Wiseman Joslin Lodge Pudney Cant Rayner Salmon Wicks Theobald Argent
        Bright Dowsett O'Brien O'Connor O'Neill Doyle Ryan Gallagher Nowak Kowalski Wisniewski Ionescu Popescu
        Petrov Kovacs Novak
        Kazlauskas Silva Santos Rossi Smith-Jones Taylor-Webb""".split()
    ),
    "south_asian": tuple(
        """Patel Khan Singh Hussain Ahmed Ali Kaur Begum Shah Akhtar Miah Mohammed Rahman Iqbal Sharma Mahmood
        Malik Islam Bibi Chowdhury Uddin Mistry Gill Sheikh Choudhury Das Raja Aslam Siddiqui Qureshi Mirza
        Hassan Bhatti Chaudhry Butt Khatun Hossain Karim Sandhu Dhillon Sidhu Kumar Gupta Joshi Mehta Desai
        Parmar Chauhan Verma Nair Menon Thomas-Kurian Reddy Rao Perera Fernando Rajah Sivakumar Nadarajah
        Parveen Yasmin Haque Alam
        Sultana Zaman""".split()
    ),
    "black": tuple(
        """Adeyemi Mensah Okafor Owusu Williams Campbell Brown Okeke Boateng Asante Adebayo Nwosu Bangura
        Kamara Osei Appiah Johnson Thomas Grant Clarke Francis Bailey Ogunleye Balogun Eze Obi Chukwu Agyeman
        Amoah Sesay Conteh
        Mwangi Banda Moyo Ncube Sibanda Abdi Mohamed Warsame Gordon Morgan-Reid Henry Joseph Charles
        Pierre""".split()
    ),
    "other": tuple(
        """Chen Wong Li Zhang Wang Cheung Lam Chan Nguyen Tran Yilmaz Kaya Demir Ozturk Santos Reyes Cruz
        Garcia
        Mohammadi Hosseini Rahimi Haddad Khoury Mansour Tanaka Kim Park Cohen Levy Sharif""".split()
    ),
}

_WOMEN: Mapping[str, tuple[str, ...]] = {
    "white": tuple(
        """Susan Margaret Julie Karen Sarah Helen Deborah Jane Patricia Linda Emma Claire Nicola Joanne Tracey
        Lisa Michelle Samantha Amanda Rebecca Laura Gemma Kelly Charlotte Rachel Elizabeth Christine
        Jacqueline Carol Angela Alison Sharon Donna Louise Katherine Victoria Hannah Amy Jessica Stephanie
        Lauren Chloe Sophie Pauline Maureen
        Sandra Janet Anne Mary Dawn Wendy Lynn Teresa Hazel Agnieszka Katarzyna Elena Maria Ruta""".split()
    ),
    "south_asian": tuple(
        """Fatima Aisha Shabana Nasreen Rukhsana Yasmin Zainab Priya Sunita Anita Kiran Harpreet Manjit
        Jasvinder Rekha Meena Parveen Rubina Samina Nazia Shazia Farzana Salma Hina Sadia Maryam Khadija Amina
        Rashida Deepa
        Lakshmi Nisha""".split()
    ),
    "black": tuple(
        """Grace Blessing Comfort Abena Ama Akosua Ngozi Chioma Folake Funmilayo Marcia Sonia Beverley Yvonne
        Patience
        Mercy Esther Ruth Fatou Hawa Halima Hodan Tendai Rudo Precious Joy""".split()
    ),
    "other": tuple(
        "Mei Ling Xiu Yan Thi Linh Ayse Fatma Elif Zeynep Leila Maryam Rosa Carmen Yuki Hana Miriam".split()
    ),
}
_MEN: Mapping[str, tuple[str, ...]] = {
    "white": tuple(
        """David John Paul Andrew Mark Stephen Michael Peter Ian Robert Richard Christopher James Simon
        Anthony Kevin Gary Steven Martin Darren Lee Matthew Daniel Thomas Alan Philip Neil Jason Nicholas
        William Graham Keith Colin Brian Adam Ryan Benjamin Samuel Joseph Edward Jonathan Timothy Stuart Craig
        Luke Jack George Barry Trevor
        Raymond Kenneth Dennis Roy Derek Piotr Tomasz Andrei Marek Jonas""".split()
    ),
    "south_asian": tuple(
        """Mohammed Muhammad Ali Ahmed Imran Abdul Tariq Rajesh Sanjay Amit Harjit Gurpreet Balwinder Sukhdev
        Nadeem Shahid Khalid Javed Asif Yusuf Ibrahim Hassan Bilal Usman Zahid Faisal Vijay Suresh Ramesh Anil
        Dinesh
        Kamran""".split()
    ),
    "black": tuple(
        """Emmanuel Samuel Kwame Kofi Kwasi Yaw Chinedu Emeka Olu Tunde Babatunde Winston Desmond Leroy Clive
        Errol
        Delroy Abdi Mohamed Ibrahim Lamin Musa Tatenda Farai Isaac Moses""".split()
    ),
    "other": tuple("Wei Jun Ming Hao Minh Duc Mehmet Mustafa Emre Reza Hossein Ali Omar Jose Luis Kenji David".split()),
}

FORENAMES: Mapping[tuple[str, str], tuple[str, ...]] = {
    **{(group, "female"): names for group, names in _WOMEN.items()},
    **{(group, "male"): names for group, names in _MEN.items()},
}


def _by_spelling(families: str) -> Mapping[str, tuple[str, ...]]:
    """Each spelling -> the other spellings of its line."""
    lines = [line.split() for line in families.strip().splitlines()]
    return {name: tuple(other for other in line if other != name) for line in lines for name in line}


# One name, several accepted romanisations: the commonest reason why a South Asian or Arabic name differs by
# source.
TRANSLITERATIONS: Mapping[str, tuple[str, ...]] = _by_spelling(
    """Mohammed Muhammad Mohamed Mohammad
    Hussain Hussein Husain
    Ahmed Ahmad Ahmmed
    Chowdhury Choudhury Chaudhry
    Sheikh Shaikh
    Rahman Rehman
    Siddiqui Siddique
    Qureshi Quraishi
    Miah Mia
    Begum Begom
    Khatun Khatoon
    Hassan Hasan
    Yusuf Yousuf Yousef
    Fatima Fatema
    Aisha Ayesha Aysha
    Yasmin Yasmeen
    Parveen Perveen
    Zainab Zaynab
    Khadija Khadijah
    Iqbal Eqbal
    Sidhu Siddhu
    Sandhu Sandu
    Usman Osman
    Uddin Udin
    Islam Eslam
    Lakshmi Laxmi"""
)

NICKNAMES: Mapping[str, tuple[str, ...]] = {
    formal: tuple(short.split())
    for formal, short in {
        "Susan": "Sue",
        "Margaret": "Maggie Peggy",
        "Deborah": "Debbie",
        "Patricia": "Pat Trish",
        "Samantha": "Sam",
        "Amanda": "Mandy",
        "Rebecca": "Becky",
        "Elizabeth": "Liz Beth Betty",
        "Christine": "Chris",
        "Jacqueline": "Jackie",
        "Angela": "Angie",
        "Katherine": "Kate Kathy",
        "Victoria": "Vicky",
        "Jessica": "Jess",
        "Stephanie": "Steph",
        "Nicola": "Nicky",
        "Michelle": "Shell",
        "Sandra": "Sandy",
        "Teresa": "Terry",
        "Andrew": "Andy",
        "Stephen": "Steve",
        "Michael": "Mike Mick",
        "Peter": "Pete",
        "Robert": "Bob Rob",
        "Richard": "Rick Dick",
        "Christopher": "Chris",
        "James": "Jim Jamie",
        "Anthony": "Tony",
        "Steven": "Steve",
        "Matthew": "Matt",
        "Daniel": "Dan Danny",
        "Thomas": "Tom",
        "Philip": "Phil",
        "Nicholas": "Nick",
        "William": "Bill Will",
        "Benjamin": "Ben",
        "Samuel": "Sam",
        "Joseph": "Joe",
        "Edward": "Ted Eddie",
        "Jonathan": "Jon",
        "Timothy": "Tim",
        "Raymond": "Ray",
        "Kenneth": "Ken",
        "David": "Dave",
        "Mohammed": "Mo",
        "Harpreet": "Harp",
        "Emmanuel": "Manny",
        "Babatunde": "Tunde",
    }.items()
}

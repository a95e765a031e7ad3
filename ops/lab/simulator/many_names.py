"""Names enough for a county: what `names` is to a town of two hundred, this is to thirty thousand people.

A simulation of many people needs many surnames, or more of them agree by chance than in England. The heads
are the lists of `names`; the tails are put together from the parts such names have (Ash-ford, Ade-bayo,
Gur-preet), written for this simulator and counted from nobody. Rank is frequency, as there.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from random import Random

from ops.lab.simulator.names import FORENAMES, GROUPS, SURNAMES

_PLACES = (
    "Ash Black Brad Brook Burn Chad Cold Cran Crow Dal Den East Farn Gar Hal Ham Har Hart Hather Hazel Holm "
    "Horn King Lang Lin Mal Marl Mid New North Oak Old Pen Rad Red Ring Rother Sand Sel Shel South Stan Stock "
    "Sut Thorn Wal War Wet Whit Win Wood Wor"
).split()
_ENDINGS = (
    "ford ley ton wood worth well field ham by bourne bridge brook combe croft don gate hurst land man more "
    "shaw stead wick wright"
).split()
_TRADES = (
    "Archer Abbott Alderman Arkwright Barber Baxter Beadle Bowman Brewer Carver Chandler Collier Cutler Dyer "
    "Falconer Farmer Forester Glover Goldsmith Harper Hooper Joiner Kemp Marchant Milner Naylor Packer Plummer "
    "Potter Quarrier Reeve Sadler Sawyer Shepherd Singer Skinner Spicer Steward Tanner Thatcher Tiler Trotter "
    "Vickers Wainwright Waller Weaver Webster Wheelwright Woodman"
).split()
_YORUBA = ("Ade Ola Olu Ogun Oye Ayo Aki Fa Oyin Ori").split()
_YORUBA_ENDINGS = "bayo wale kunle leye sanya niyi tunji gbemi dele femi lola seun".split()
_ASIAN = (
    "Agarwal Ahluwalia Akhter Amin Anand Anwar Arora Ashraf Awan Azam Aziz Babu Bains Bajwa Bakshi Banerjee "
    "Bano Bashir Basra Bhatia Bhatt Bose Cheema Chopra Dar Datta Dogra Farooq Ganguly Ghosh Gohil Grewal Hameed "
    "Hanif Haider Hayat Hayer Iyer Jain Jamil Javed Johal Kanwar Kapoor Kausar Khanna Khalid Lakhani Latif Lal "
    "Madan Mahal Majid Masood Modi Mukherjee Munir Nadeem Nagra Nawaz Nazir Pandya Pathan Pillai Prasad Purewal "
    "Rafiq Raina Rashid Rauf Riaz Saeed Saleem Samra Sarkar Sattar Sen Sethi Shabbir Shafiq Shukla Solanki Sohal "
    "Suleman Tailor Tariq Thakur Thakrar Toor Trivedi Uppal Vaghela Virk Vora Wadhwa Yadav Yousaf Zafar Zahoor"
).split()
_AFRICAN = (
    "Abebe Acheampong Achieng Addo Adjei Afolabi Agbaje Akinyemi Amadi Amankwah Ampofo Anane Ansah Antwi Asamoah "
    "Asiedu Ayodele Baptiste Barrow Bediako Blake Ceesay Chanda Chikwanha Chirwa Danso Darko Dlamini Donkor Duah "
    "Edwards-Cole Egbe Ekpo Essien Farah Fofanah Gyamfi Hinds Ibe Igwe Jallow Jarju Jeffers Juma Kabba Kamau "
    "Kargbo Kimani Koroma Kuti Lawal Mahamud Makoni Mansaray Marfo Mbeki Mendy Mukasa Musoke Mutasa Ndlovu "
    "Nkansah Nkrumah Nyamekye Obeng Odhiambo Ofori Ojo Okonkwo Onyango Opoku Oppong Otieno Peprah Quaye Sarpong "
    "Touray Tshuma Turay Uche Wanjiru Yeboah Zulu"
).split()
_ELSEWHERE = (
    "Abadi Abdullah Aguilar Ahmadi Al-Amin Al-Hassan Aoki Arslan Aydin Aziz Bui Castillo Celik Chang Chow Chu "
    "Dang Dao Diaz Dogan Duong Erdogan Fernandez Fong Fung Ghorbani Gomez Gonzalez Ho Hoang Hu Huang Ibrahim "
    "Ito Jafari Jiang Karimi Kaplan Kilic Koc Kwan Lai Lau Leung Liang Lin Liu Lopez Lu Luo Ma Mahdavi Mak "
    "Martinez Moradi Najafi Ng Ngo Nasser Nassar Pham Phan Perez Ramirez Rezaei Rivera Rodriguez Romero Sahin "
    "Saleh Salehi Sato Shen Song Sun Suzuki Tang Tse Tsui Vargas Vo Vu Watanabe Wei Wu Xu Yang Yau Yildiz Yip Yu "
    "Zhao Zheng Zhou Zhu"
).split()
_WAYS = "Road Street Lane Avenue Close Drive Gardens Way Crescent Court Place Walk Mews Grove Rise".split()
_SIKH = "Gur Har Jas Man Bal Kul Sukh Raj Par Sat Am Dil".split()
_SIKH_ENDINGS = "preet deep jit inder want vir meet".split()
_HAN = "Jia Yi Xiao Zi Hui Li Mei Xin Ying Jing".split()
_HAN_ENDINGS = "hua ling min na qing ting wen yan yu".split()

_WOMEN: Mapping[str, Sequence[str]] = {
    "white": (
        "Abigail Adele Alexandra Alice Amber Annette Audrey Barbara Bernadette Beth Bethany Brenda Bridget Caitlin "
        "Carly Caroline Catherine Cathleen Charlene Cheryl Christina Clara Clare Danielle Denise Diana Diane Doreen "
        "Eileen Eleanor Ellen Emily Erin Eve Faye Fiona Frances Freya Gail Georgia Geraldine Gillian Glenys Grace "
        "Hayley Heather Heidi Hilary Holly Imogen Irene Iris Isabel Isobel Jacqueline Jade Janice Jasmine Jean "
        "Jennifer Jill Joan Jodie Josephine Joyce Judith Kathleen Katie Kayleigh Kerry Kim Kirsty Leah Leanne "
        "Lesley Lorraine Lucy Lydia Lynne Marian Marie Marion Martha Megan Melanie Molly Monica Naomi Natalie "
        "Natasha Nina Norma Olivia Paige Paula Penelope Philippa Poppy Rhiannon Rita Robyn Rosemary Rosie Ruby Ruth "
        "Sally Shannon Sheila Shirley Sian Sonia Stacey Suzanne Sylvia Tanya Tina Toni Valerie Vanessa Vera Yvonne "
        "Zara Zoe"
    ).split(),
    "south_asian": (
        "Aaliyah Afshan Alka Amrit Anjali Ambreen Archana Asma Bhavna Bushra Chandra Daxa Dipti Farah Farida "
        "Ghazala Gita Hansa Humaira Iram Jaya Jyoti Kalpana Kausar Kavita Leena Mumtaz Naheed Naseem Neelam Noreen "
        "Nusrat Pooja Pushpa Radha Rabia Rehana Roshni Saima Saira Sangita Sejal Shaheen Shanti Shilpa Sidra Smita "
        "Sobia Sumaira Tahira Tasneem Uzma Usha Varsha Zahra Zeenat"
    ).split(),
    "black": (
        "Abimbola Adaeze Adwoa Afia Agnes Amara Angelique Asha Aminata Bisi Bola Chantelle Charity Chipo Claudette "
        "Cynthia Dorcas Efua Eunice Faith Felicia Fumilayo Gloria Hyacinth Ifeoma Ijeoma Isatou Janelle Kadiatu "
        "Kemi Lorna Lovina Mariama Mavis Memory Miriam Monique Nkechi Nyasha Obioma Oluchi Pearl Rosemond Rutendo "
        "Shanice Simone Thandi Tolu Tsitsi Vida Wanjiku Yaa Zainab"
    ).split(),
    "other": (
        "Ana Amal Aylin Beatriz Burcu Cristina Emine Esra Farideh Fernanda Gulsen Hatice Huong Isabel Keiko Lan "
        "Layla Lucia Luz Mahsa Marisol Mina Nadia Nasrin Noor Nur Parisa Pilar Rania Salma Samira Sakura Seda "
        "Shirin Soraya Thanh Thuy Trang Tuyet Yesim Zahra"
    ).split(),
}
_MEN: Mapping[str, Sequence[str]] = {
    "white": (
        "Aaron Adrian Aidan Albert Alexander Alfred Ashley Arthur Bernard Bradley Brendan Bruce Callum Cameron Carl "
        "Charles Clifford Clive Conor Connor Dale Damian Dean Dominic Donald Douglas Duncan Dylan Edwin Elliot Eric "
        "Ernest Ethan Francis Frank Frederick Gareth Gavin Geoffrey Gerald Glen Gordon Grant Gregory Guy Harold "
        "Harry Harvey Hugh Jacob Jake Jamie Jay Jeffrey Jeremy Jerome Joel Jordan Joshua Julian Justin Karl Kieran "
        "Kyle Leonard Leon Leslie Lewis Liam Louis Malcolm Marcus Maurice Maxwell Mitchell Nathan Neville Nigel "
        "Norman Oliver Oscar Owen Patrick Perry Ralph Reginald Reece Rhys Roger Roland Ronald Ross Rupert Russell "
        "Scott Sean Shane Sidney Spencer Stanley Terence Toby Tony Tristan Vernon Victor Vincent Walter Warren "
        "Wayne Zachary"
    ).split(),
    "south_asian": (
        "Aamir Aftab Ajay Akbar Akhil Altaf Anwar Arif Arjun Ashok Atif Aziz Bhupinder Chetan Dev Dilip Ehsan Farhan "
        "Ghulam Girish Hamza Haroon Hitesh Idris Ismail Jagdish Jahangir Jay Junaid Kashif Kishan Mahesh Majid "
        "Mukesh Mushtaq Naveed Naresh Nikhil Parvez Pradeep Prakash Qasim Rafiq Rahul Rakesh Rashid Ravi Rizwan "
        "Rohan Sajid Sandeep Saqib Shabir Shakeel Sohail Sunil Tahir Umar Vikram Vinod Waqas Yasin Zubair"
    ).split(),
    "black": (
        "Abdul Adisa Akin Alhaji Amadou Anthony Ayodeji Bakary Barrington Blessed Carlton Chidi Chukwuma Cornelius "
        "Cuthbert Dapo Dayo Ebenezer Ebrima Elijah Ekow Fabian Femi Garfield Godwin Hezekiah Ifeanyi Ike Jermaine "
        "Kelvin Kenneth Kojo Kwabena Kwaku Lamar Lloyd Mamadou Marlon Nana Neville Obinna Oluwaseun Ousman Patrice "
        "Prince Rohan Segun Simba Solomon Sylvester Tafadzwa Takunda Tariro Uche Victor Wale Yinka Zachariah"
    ).split(),
    "other": (
        "Ahmad Alejandro Amir An Arash Ayman Babak Bao Bilal Burak Carlos Cem Chao Daniel Dung Eduardo Enrique "
        "Erkan Faisal Farhad Fernando Haruto Hiroshi Hamid Hung Ibrahim Javier Jorge Juan Karim Khanh Kwok Lei "
        "Mahmoud Manuel Masoud Miguel Nam Omid Orhan Osman Pablo Pedro Rafael Ramin Saeed Samir Sergio Serkan Takeshi "
        "Tarek Tuan Ugur Viet Walid Youssef Ziad"
    ).split(),
}


@cache
def many_surnames(group: str) -> tuple[str, ...]:
    """Surnames of an ethnic group, commonest first, none twice: those of `names` and a long tail."""
    white = [*_TRADES, *_spread(_PLACES, _ENDINGS)]
    tails = {
        "white": white,
        "south_asian": _ASIAN,
        "black": [*_AFRICAN, *_spread(_YORUBA, _YORUBA_ENDINGS)],
        "other": _ELSEWHERE,
    }
    assert set(tails) == set(GROUPS)
    return tuple(dict.fromkeys((*SURNAMES[group], *tails[group])))


@cache
def many_forenames(group: str, sex: str) -> tuple[str, ...]:
    """Forenames of an ethnic group and sex, commonest first, none twice."""
    tail = list((_WOMEN if sex == "female" else _MEN)[group])
    if group == "south_asian":  # Sikh names are borne by women and men alike
        tail += _spread(_SIKH, _SIKH_ENDINGS)
    if group == "other":
        tail += _spread(_HAN, _HAN_ENDINGS)
    return tuple(dict.fromkeys((*FORENAMES[group, sex], *tail)))


def street_of(postcode: str) -> str:
    """The one street of a postcode: a postcode has some fifteen front doors, nearly always of one street."""
    chance = Random(postcode)
    return f"{chance.choice(many_surnames('white'))} {chance.choice(_WAYS)}"


def _spread(firsts: Sequence[str], endings: Sequence[str]) -> list[str]:
    """Every first part with every ending, in an order in which neither part stays the same for long."""
    places = list(product(range(len(firsts)), range(len(endings))))
    places.sort(key=lambda place: ((place[0] * 7 + place[1] * 11) % 97, place))
    return [firsts[first] + endings[ending] for first, ending in places]
